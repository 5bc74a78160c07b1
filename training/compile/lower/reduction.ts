/** Lowers ops that reduce axes, and those that normalize along them. */
import { constantInts, normalizeAxis, type OpNode, type Value } from '../../graph/index.ts';
import { elementCount } from '../../arrays/index.ts';
import { uncovered } from '../error.ts';
import { argMax } from '../kernels/arg-max.ts';
import { layerNorm } from '../kernels/layer-norm.ts';
import { globalPool } from '../kernels/pool.ts';
import { reduce } from '../kernels/reduce.ts';
import type { Fold } from '../kernels/row.ts';
import { softmax } from '../kernels/softmax.ts';
import { aroundAxis, type Lowering, shapeOf } from './lowering.ts';

type Reduction = OpNode<'ReduceMax' | 'ReduceMean' | 'ReduceSum'>;

export const lowerReduction =
  (fold: Fold, mean = false) =>
  (lowering: Lowering, node: Reduction): void => {
    const [data, axes] = node.inputs;
    expectFloats(node, data);
    const shape = shapeOf(data);
    const folded = constantInts('axes', axes).map((axis) => normalizeAxis(axis, shape.length));
    if (lowering.isBlocked(data) && folded.toSorted((a, b) => a - b).join() === '2,3') {
      const image = lowering.blocked(node, data);
      const pixel = lowering.newPlain(node.outputs[0]);
      lowering.add(globalPool(node.outputs[0].name, image, pixel, fold, mean));
      return;
    }
    const x = lowering.plain(node, data);
    const out = lowering.newPlain(node.outputs[0]);
    lowering.add(reduce({ about: node.outputs[0].name, x, out, shape, axes: new Set(folded), fold, mean }));
  };

export function lowerArgMax(lowering: Lowering, node: OpNode<'ArgMax'>): void {
  const [data] = node.inputs;
  expectFloats(node, data);
  const x = lowering.plain(node, data);
  const out = lowering.newPlain(node.outputs[0]);
  lowering.add(argMax({ about: node.outputs[0].name, x, out, ...aroundAxis(shapeOf(data), node.attributes.axis) }));
}

export function lowerSoftmax(lowering: Lowering, node: OpNode<'Softmax'>): void {
  const [input] = node.inputs;
  expectFloats(node, input);
  const x = lowering.plain(node, input);
  const out = lowering.newPlain(node.outputs[0]);
  lowering.add(softmax({ about: node.outputs[0].name, x, out, ...aroundAxis(shapeOf(input), node.attributes.axis) }));
}

export function lowerLayerNorm(lowering: Lowering, node: OpNode<'LayerNormalization'>): void {
  const [X, Scale, B] = node.inputs;
  const [Y, ...statistics] = node.outputs;
  expectFloats(node, X);
  if (statistics.some((value) => lowering.isOutput(value) || lowering.readersOf(value).length > 0))
    throw uncovered(node, 'expected its first output alone to be read, got its statistics');
  const shape = shapeOf(X);
  const axis = normalizeAxis(node.attributes.axis, shape.length);
  const [x, scale, bias] = [lowering.plain(node, X), lowering.plain(node, Scale), lowering.plain(node, B)];
  lowering.add(
    layerNorm({
      about: Y.name,
      x,
      scale,
      bias,
      rows: elementCount(shape.slice(0, axis)),
      count: elementCount(shape.slice(axis)),
      epsilon: node.attributes.epsilon,
      out: lowering.newPlain(Y),
    }),
  );
}

function expectFloats(node: Reduction | OpNode<'ArgMax' | 'Softmax' | 'LayerNormalization'>, { dtype }: Value): void {
  if (dtype !== 'float32') throw uncovered(node, `expected float32, got ${dtype}`);
}
