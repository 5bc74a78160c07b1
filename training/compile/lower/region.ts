/**
 * Elementwise nodes that become one kernel: those behind a first one that read nothing but each other and what is there already, as
 * long as a single value of theirs is read by anyone else.
 */
import { type Node, sameShape, type Value } from '../../graph/index.ts';
import { lanesOf, numbersOf } from '../constant.ts';
import { type Expression, numberOf, operandOf } from '../expression/expression.ts';
import { type ElementwiseNode, expressionOf, isElementwise, laneTypeOf } from '../expression/of-node.ts';
import { type Lowering, sizeOf } from './lowering.ts';

export interface Region {
  readonly tree: Expression;
  /** What the tree's operands are, by number. */
  readonly operands: readonly Value[];
  readonly out: Value;
  readonly nodes: readonly Node[];
}

type Elementwise = Extract<Node, { op: ElementwiseNode['op'] }>;

/** More at once would need more registers than there are. */
const most = 40;

/**
 * @param first the values that the region begins with
 * @param nodes the nodes that belong to it anyway
 * @param takes whether the region may read a value from outside
 */
export function regionFrom(
  lowering: Lowering,
  first: readonly Value[],
  nodes: readonly Elementwise[],
  takes: (value: Value) => boolean,
): Region {
  const grown = grow(lowering, first, nodes, takes);
  for (let count = grown.length; count >= nodes.length; count--) {
    const chosen = grown.slice(0, count);
    const [out, ...others] = escaping(lowering, first, chosen);
    if (out && others.length === 0) return { ...treeOf(chosen, first, out), out, nodes: chosen };
  }
  throw new Error('internal: a node has more than one output that is read');
}

function grow(
  lowering: Lowering,
  first: readonly Value[],
  nodes: readonly Elementwise[],
  takes: (value: Value) => boolean,
): readonly Elementwise[] {
  const own = new Set([...first, ...nodes.flatMap(({ outputs }) => outputs)].map(({ name }) => name));
  const [example] = [...nodes.flatMap(({ outputs }) => outputs), ...first];
  const grown = [...nodes];
  for (const node of lowering.nodes) {
    if (grown.length >= most) break;
    if (!isElementwise(node) || lowering.isDone(node) || grown.includes(node)) continue;
    const inputs: readonly Value[] = node.inputs;
    const fits = inputs.every((value) => own.has(value.name) || takes(value));
    if (!fits || !inputs.some(({ name }) => own.has(name))) continue;
    if (!example || !sameShape(node.outputs[0].shape, example.shape)) continue;
    grown.push(node);
    for (const { name } of node.outputs) own.add(name);
  }
  return grown;
}

/** The values of the region that are read outside of it. */
function escaping(lowering: Lowering, first: readonly Value[], nodes: readonly Node[]): readonly Value[] {
  const inside = new Set(nodes);
  const made = [...first, ...nodes.flatMap(({ outputs }) => [...outputs])];
  return made.filter(
    (value) => lowering.isOutput(value) || lowering.readersOf(value).some((reader) => !inside.has(reader)),
  );
}

function treeOf(nodes: readonly Elementwise[], first: readonly Value[], out: Value) {
  const operands = [...first];
  const known = new Map<string, Expression>(first.map(({ name }, i) => [name, operandOf(i, 'float')]));
  for (const node of nodes) {
    const inputs = node.inputs.map((value: Value) => {
      const expression = known.get(value.name) ?? leaf(node, value, operands);
      known.set(value.name, expression);
      return expression;
    });
    known.set(node.outputs[0].name, expressionOf(node, inputs));
  }
  return { tree: known.get(out.name) ?? operandOf(0, 'float'), operands };
}

/** A number where a single one is stored, else another operand. */
function leaf(node: Node, value: Value, operands: Value[]): Expression {
  const type = laneTypeOf(node, value);
  if (value.constant && sizeOf(value) === 1) {
    const numbers = numbersOf(value.constant);
    const [number = NaN] = type === 'float' ? numbers : lanesOf(value.name, value.dtype, numbers);
    return numberOf(number, type);
  }
  operands.push(value);
  return operandOf(operands.length - 1, type);
}
