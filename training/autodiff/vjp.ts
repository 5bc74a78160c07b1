/**
 * Reverse-mode automatic differentiation of an ONNX graph. The driver walks the nodes from the loss back to the targets
 * and lets each node's rule emit its cotangents; it knows no op. It does what all rules share: it finds the nodes
 * between targets and loss, adds the cotangents of a value that is used several times, and sums over broadcast axes.
 *
 * Source: Baydin et al., Automatic Differentiation in Machine Learning: a Survey, section 3.2,
 * https://arxiv.org/abs/1502.05767
 */
import {
  formatShape,
  formatType,
  type GraphBuilder,
  GraphError,
  knownSizes,
  located,
  type Node,
  opSchemas,
  sameShape,
  type Shape,
  type Value,
} from '../graph/index.ts';
import { vjpRules } from './rules/index.ts';
import type { VjpRule } from './rule.ts';

/**
 * Emits ∂loss/∂target for every target into `g`.
 *
 * @param loss a float32 scalar that `g` has computed
 * @throws GraphError for a loss that is not a scalar, a target that it does not depend on, or an op without a gradient
 * on the path
 */
export function gradients(g: GraphBuilder, loss: Value, targets: readonly Value[]): readonly Value[] {
  if (formatType(loss) !== 'float32[]') throw new GraphError(`loss: expected float32[], got ${formatType(loss)}`);
  const cotangents = new Map([[loss.name, g.scalar(1, 'float32')]]);
  for (const { node, active } of pathTo(targets, g.nodes).reverse()) {
    const dOutputs = node.outputs.map((value) => cotangents.get(value.name) ?? null);
    if (dOutputs.every((cotangent) => cotangent === null)) continue;
    g.scoped(`${node.name}/grad`, () => {
      const dInputs = applyRule(g, node, dOutputs);
      node.inputs.forEach((input, i) => {
        const cotangent = dInputs[i];
        if (input && cotangent && active.has(input.name))
          accumulate(g, cotangents, input, unbroadcast(g, node, cotangent, input));
      });
    });
  }
  return targets.map((target) => {
    const cotangent = cotangents.get(target.name);
    if (!cotangent) throw new GraphError(`${target.name}: the loss does not depend on it`);
    return cotangent;
  });
}

/** Returns the nodes that depend on any target, each with the inputs through which it does. */
function pathTo(targets: readonly Value[], nodes: readonly Node[]) {
  const reached = new Set(targets.map(({ name }) => name));
  return nodes.flatMap((node) => {
    const active = new Set(node.inputs.flatMap((value) => (value && reached.has(value.name) ? [value.name] : [])));
    if (active.size === 0) return [];
    for (const { name } of node.outputs) reached.add(name);
    return [{ node, active }];
  });
}

function applyRule(
  g: GraphBuilder,
  node: Node,
  dOutputs: readonly (Value | null)[],
): readonly (Value | null | undefined)[] {
  const rule = vjpRules[node.op] as unknown as VjpRule<Node['op']>;
  return located(`gradient of ${node.name}`, () => rule(g, node, dOutputs));
}

function accumulate(g: GraphBuilder, cotangents: Map<string, Value>, value: Value, more: Value): void {
  const sum = cotangents.get(value.name);
  cotangents.set(value.name, sum ? g.Add(sum, more) : more);
}

/** Sums a cotangent over the axes along which its primal was broadcast. */
function unbroadcast(g: GraphBuilder, node: Node, cotangent: Value, primal: Value): Value {
  if (sameShape(cotangent.shape, primal.shape)) return cotangent;
  if (!opSchemas[node.op].broadcasts) {
    throw new GraphError(
      `internal: gradient of ${node.name}: expected ${formatShape(primal.shape)}, got ${formatShape(cotangent.shape)}`,
    );
  }
  const axes = repeatedAxes(cotangent.shape, primal.shape);
  const onlyMissing = axes.length === cotangent.shape.length - primal.shape.length;
  const sum = g.ReduceSum(cotangent, g.ints(axes), { keepdims: onlyMissing ? 0 : 1 });
  if (sameShape(sum.shape, primal.shape)) return sum;
  return g.Reshape(sum, g.ints(knownSizes(primal.shape)));
}

function repeatedAxes(large: Shape, small: Shape): readonly number[] {
  const offset = large.length - small.length;
  return large.flatMap((dim, i) => (i < offset || (small[i - offset] === 1 && dim !== 1) ? [i] : []));
}
