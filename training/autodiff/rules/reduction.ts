/** Gradients of the reductions. */
import {
  constantInts,
  type GraphBuilder,
  known,
  knownSizes,
  normalizeAxis,
  type OpNode,
  type OpType,
  type Value,
} from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';

type Reduction = OpNode<'ReduceSum'> | OpNode<'ReduceMean'>;

const axesOf = ({ inputs: [data, axes] }: Reduction): readonly number[] =>
  constantInts('axes', axes).map((axis) => normalizeAxis(axis, data.shape.length));

/** Repeats a reduced cotangent along the axes that were reduced. */
function spread(g: GraphBuilder, node: Reduction, dReduced: Value): Value {
  const sizes = knownSizes(node.inputs[0].shape);
  const reduced = new Set(axesOf(node));
  const keptRank = g.ints(sizes.map((size, i) => (reduced.has(i) ? 1 : size)));
  return g.Expand(g.Reshape(dReduced, keptRank), g.ints(sizes));
}

export const reduction = {
  // d Σ X = Σ dX
  ReduceSum: (g, node, [dReduced]) => [spread(g, node, dReduced), null],
  // d (1/m Σ X) = 1/m Σ dX
  ReduceMean: (g, node, [dReduced]) => {
    const m = axesOf(node).reduce((count, axis) => count * known('an axis', node.inputs[0].shape[axis]), 1);
    return [spread(g, node, g.Div(dReduced, g.scalar(m))), null];
  },
  ReduceMax: notDifferentiable('ReduceMax is emitted by lowering only'),
  ArgMax: notDifferentiable('ArgMax gives integers'),
} satisfies Partial<RuleTable<OpType>>;
