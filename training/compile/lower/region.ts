/**
 * Finds elementwise nodes that become one kernel: those after a first node that read only each other and values that
 * are available. Only one of their values may be read outside, or a few where the lowering allows it.
 */
import { at, present } from '../../arrays/index.ts';
import { type Node, sameShape, type Value } from '../../graph/index.ts';
import { lanesOf, numbersOf } from '../constant.ts';
import { type Expression, numberOf, operandOf } from '../expression/expression.ts';
import { type ElementwiseNode, expressionOf, isElementwise, laneTypeOf } from '../expression/of-node.ts';
import { type Lowering, sizeOf } from './lowering.ts';

export interface Region {
  /** The values that are read outside the region. */
  readonly results: readonly { readonly value: Value; readonly tree: Expression }[];
  /** The operands of the trees, by index. */
  readonly operands: readonly Value[];
  readonly nodes: readonly Node[];
}

type Elementwise = Extract<Node, { op: ElementwiseNode['op'] }>;

/** The maximum number of nodes; more would need more registers than there are. */
const max = 40;

/**
 * Finds a region.
 *
 * @param first the values that the region begins with
 * @param nodes the nodes that belong to it in any case
 * @param takes tells whether the region may read a value from outside
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
    const read = escaping(lowering, first, chosen);
    if (read.length <= lowering.maxResults) return { ...treesOf(chosen, first, read), nodes: chosen };
  }
  throw new Error('internal: a node has more outputs that are read than a kernel has');
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
  const isCandidate = (node: Node): node is Elementwise =>
    isElementwise(node) &&
    !lowering.isDone(node) &&
    !grown.includes(node) &&
    example !== undefined &&
    sameShape(node.outputs[0].shape, example.shape);
  /** Returns the node with the nodes that must be computed for it, in order; undefined where that is impossible. */
  const withSources = (node: Elementwise): readonly Elementwise[] | undefined => {
    const needed = new Set<Elementwise>();
    for (const value of node.inputs as readonly Value[]) {
      if (own.has(value.name) || takes(value)) continue;
      const source = lowering.maxResults > 1 ? lowering.makerOf(value) : undefined;
      const sources = source && isCandidate(source) ? withSources(source) : undefined;
      if (!sources) return undefined;
      for (const each of sources) needed.add(each);
    }
    return [...needed, node];
  };
  for (const node of lowering.nodes) {
    if (grown.length >= max) break;
    if (!isCandidate(node)) continue;
    const added = withSources(node);
    const reads = added?.flatMap(({ inputs }): readonly Value[] => inputs);
    if (!added || !reads?.some(({ name }) => own.has(name))) continue;
    grown.push(...added);
    for (const { outputs } of added) for (const { name } of outputs) own.add(name);
  }
  return grown;
}

/** Returns the values of the region that are read outside it. */
function escaping(lowering: Lowering, first: readonly Value[], nodes: readonly Node[]): readonly Value[] {
  const inside = new Set(nodes);
  const made = [...first, ...nodes.flatMap(({ outputs }) => [...outputs])];
  return made.filter(
    (value) => lowering.isOutput(value) || lowering.readersOf(value).some((reader) => !inside.has(reader)),
  );
}

function treesOf(nodes: readonly Elementwise[], first: readonly Value[], read: readonly Value[]) {
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
  const results = read.map((value) => ({ value, tree: present(known.get(value.name)) }));
  return { results, operands };
}

/** Returns a number where a single one is stored, otherwise a new operand. */
function leaf(node: Node, value: Value, operands: Value[]): Expression {
  const type = laneTypeOf(node, value);
  if (value.constant && sizeOf(value) === 1) {
    const numbers = numbersOf(value.constant);
    return numberOf(at(type === 'float' ? numbers : lanesOf(value.name, value.dtype, numbers), 0), type);
  }
  operands.push(value);
  return operandOf(operands.length - 1, type);
}
