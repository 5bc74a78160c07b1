/**
 * Decides which nodes are computed together. A pass goes once over vectors of one length, and computes all nodes of
 * this length whose inputs are available, so that intermediate values never reach memory. A sum over a vector is
 * available when its pass has ended.
 *
 *     ‖g‖² of all gradients │ c / max(‖g‖, c) │ g, θ, m, v ─▶ θ, m, v, and whether they are finite
 *          a pass each      │ one of a number │ a pass for each length
 *
 * A node is first placed in the earliest possible pass, and then moved to the last pass before its result is read: a
 * product that only a later pass reads belongs to that pass.
 */
import { at } from '../../arrays/index.ts';
import { constantInts, type Node, normalizeAxis, type Value } from '../../graph/index.ts';
import { uncovered } from '../error.ts';
import { type ElementwiseNode, isElementwise } from '../expression/of-node.ts';
import { sizeOf } from '../lower/lowering.ts';
import type { Fold } from '../kernels/row.ts';

type Elementwise = Extract<Node, { op: ElementwiseNode['op'] }>;

/** A vector that is folded into one number. */
export interface Folding {
  readonly fold: Fold;
  readonly mean: boolean;
  readonly data: Value;
  readonly result: Value;
}

export interface Pass {
  /** The number of elements in each of its vectors. */
  readonly count: number;
  /** The nodes, in an order in which each reads only available values. */
  readonly nodes: readonly Elementwise[];
  readonly folds: readonly Folding[];
}

type Step =
  | { readonly kind: 'elementwise'; readonly node: Elementwise; readonly count: number; level: number }
  | { readonly kind: 'fold'; readonly folding: Folding; readonly node: Node; readonly count: number; level: number };

/**
 * Divides nodes into passes.
 *
 * @throws CompileError for a node that is neither elementwise, with operands of one length or of a single number, nor
 * folds a whole tensor
 */
export function schedule(nodes: readonly Node[], outputs: readonly Value[]): readonly Pass[] {
  const steps = nodes.map(stepOf);
  const makers = new Map(steps.flatMap((step) => step.node.outputs.map(({ name }) => [name, step] as const)));
  for (const step of steps)
    step.level = Math.max(0, ...inputsOf(step).map((value) => readyFor(step, makers.get(value.name))));
  sink(steps, new Set(outputs.map(({ name }) => name)));
  const levels = [...new Set(steps.map(({ level, count }) => `${level} ${count}`))];
  return levels
    .map((key) => steps.filter(({ level, count }) => `${level} ${count}` === key))
    .toSorted((a, b) => at(a, 0).level - at(b, 0).level)
    .flatMap(connected)
    .map(passOf);
}

function stepOf(node: Node): Step {
  const [output] = node.outputs;
  if (isElementwise(node)) {
    const count = sizeOf(output);
    const other = node.inputs.find((value: Value) => sizeOf(value) !== 1 && sizeOf(value) !== count);
    if (other) throw uncovered(node, `expected ${count} elements or one, got ${sizeOf(other)} for ${other.name}`);
    return { kind: 'elementwise', node, count, level: 0 };
  }
  if (!isFold(node)) throw uncovered(node, 'is not covered');
  const [data, axes] = node.inputs;
  const folded = new Set(constantInts('axes', axes).map((axis) => normalizeAxis(axis, data.shape.length)));
  if (data.shape.some((size, axis) => size !== 1 && !folded.has(axis)))
    throw uncovered(node, `expected all of ${data.name} to be folded, got axes ${[...folded].join(', ')}`);
  return { kind: 'fold', node, count: sizeOf(data), level: 0, folding: { ...folds[node.op], data, result: output } };
}

/** The ops that fold. */
const folds = {
  ReduceSum: { fold: 'add', mean: false },
  ReduceMean: { fold: 'add', mean: true },
  ReduceMax: { fold: 'max', mean: false },
} as const satisfies { readonly [O in Node['op']]?: Pick<Folding, 'fold' | 'mean'> };

const isFold = (node: Node): node is Extract<Node, { op: keyof typeof folds }> => Object.hasOwn(folds, node.op);

const inputsOf = (step: Step): readonly Value[] => (step.kind === 'fold' ? [step.folding.data] : step.node.inputs);

/** Returns the values that a pass computes. */
export const valuesOf = ({ nodes, folds }: Pass): readonly Value[] => [
  ...nodes.map(({ outputs: [value] }) => value),
  ...folds.map(({ result }) => result),
];

/** Returns the names of the values that a pass reads from memory. */
export function readsOfPass({ nodes, folds }: Pass): ReadonlySet<string> {
  const own = new Set(nodes.map(({ outputs: [value] }) => value.name));
  const values: readonly Value[] = [...nodes.flatMap(({ inputs }) => inputs), ...folds.map(({ data }) => data)];
  return new Set(values.filter(({ name, constant }) => !own.has(name) && !constant).map(({ name }) => name));
}

export const aboutPass = (pass: Pass): string =>
  `${pass.count} × ${valuesOf(pass)
    .map(({ name }) => name)
    .join(', ')}`;

/** Returns the first level at which `step` can read what `maker` computes; inputs are available from the start. */
function readyFor(step: Step, maker: Step | undefined): number {
  if (!maker) return 0;
  return maker.level + (isPassedOn(maker, step) ? 0 : 1);
}

/** Is true where a value needs no memory between the two, if both are in one pass. */
const isPassedOn = (maker: Step, reader: Step): boolean => maker.kind === 'elementwise' && maker.count === reader.count;

/** Moves steps that are neither outputs nor folds to the level at which they are first read. */
function sink(steps: readonly Step[], outputs: ReadonlySet<string>): void {
  for (const step of steps.toReversed()) {
    if (step.kind === 'fold' || outputs.has(step.node.outputs[0].name)) continue;
    const readers = steps.filter((reader) => inputsOf(reader).some(({ name }) => name === step.node.outputs[0].name));
    const latest = readers.map((reader) => reader.level - (isPassedOn(step, reader) ? 0 : 1));
    if (latest.length > 0) step.level = Math.min(...latest);
  }
}

/** Groups steps that share a value, directly or through others. Groups that share none become separate passes. */
function connected(steps: readonly Step[]): readonly (readonly Step[])[] {
  const groups: { steps: Step[]; values: Set<string> }[] = [];
  for (const step of steps) {
    const values = new Set([...inputsOf(step), ...step.node.outputs].filter(isShared(step)).map(({ name }) => name));
    const joined = groups.filter((group) => [...values].some((name) => group.values.has(name)));
    const rest = groups.filter((group) => !joined.includes(group));
    const merged = {
      steps: [...joined.flatMap((group) => group.steps), step],
      values: new Set([...joined.flatMap((group) => [...group.values]), ...values]),
    };
    groups.splice(0, groups.length, ...rest, merged);
  }
  return groups.map((group) => steps.filter((step) => group.steps.includes(step)));
}

/**
 * Is true for a value that makes it worthwhile to process two steps together, which constants and single numbers do
 * not.
 */
const isShared =
  ({ count }: Step) =>
  (value: Value): boolean =>
    value.constant === undefined && (sizeOf(value) === count || count === 1);

const passOf = (steps: readonly Step[]): Pass => ({
  count: at(steps, 0).count,
  nodes: steps.flatMap((step) => (step.kind === 'elementwise' ? [step.node] : [])),
  folds: steps.flatMap((step) => (step.kind === 'fold' ? [step.folding] : [])),
});
