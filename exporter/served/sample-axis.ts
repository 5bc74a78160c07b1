/**
 * Finds the values of a graph whose first axis is the batch, so that a layer's input can be cut into samples. A value
 * for which this is not certain is left out.
 */
import { elementCount } from '../../training/arrays/index.ts';
import type { onnx } from '../../training/graph/index.ts';
import { attributeOf, type Constants } from './constants.ts';
import { bodiesOf, type Names, sourcesOf } from './dependents.ts';
import {
  all,
  broadcasting,
  dimsOf,
  inputOf,
  intOf,
  intsOf,
  keeping,
  type KnownValues,
  shapesIn,
} from './known-values.ts';
import { shapeRules } from './shape-rules.ts';

/** Maps the names of values whose first axis is that of the samples to their numbers of dimensions. */
export type SampleRanks = ReadonlyMap<string, number>;

/** @param samples the values that depend on the request */
export function sampleRanks(graph: onnx.IGraphProto, samples: Names, constant: Constants): SampleRanks {
  const sources = sourcesOf(graph.node ?? []);
  const known = { samples, constant, sources };
  const state: KnownValues = { ranks: new Map(), sizes: new Map(), dims: new Map(), shapes: shapesIn(graph), ...known };
  for (const { name, type } of graph.input ?? []) {
    const dims = type?.tensorType?.shape?.dim;
    if (dims?.length && beginsWithSamples(dims)) state.ranks.set(name ?? '', dims.length);
  }
  for (const node of graph.node ?? []) follow(node, state);
  return state.ranks;
}

/** These patterns match the names that exporters and people give to dimensions. */
const batch = /^n$|batch|samples/i;
const notBatch = /time|seq|len|frame|step/i;

function beginsWithSamples([first, ...others]: readonly onnx.TensorShapeProto.IDimension[]): boolean {
  const name = first?.dimParam ?? '';
  if (batch.test(name)) return true;
  return !notBatch.test(name) && !others.some(({ dimParam }) => batch.test(dimParam ?? ''));
}

function follow(node: onnx.INodeProto, state: KnownValues): void {
  if (bodiesOf(node).length > 0) return;
  const [first = ''] = node.output ?? [];
  const size = sizeRules[node.opType ?? '']?.(node, state);
  if (size !== undefined) state.sizes.set(first, size);
  const rank = rankRules[node.opType ?? '']?.(node, state);
  if (rank === undefined) return;
  for (const output of node.output ?? []) state.ranks.set(output, rank);
  const shape = state.shapes.get(first) ?? shapeRules[node.opType ?? '']?.(node, state);
  if (shape) state.shapes.set(first, shape);
}

/** Returns the number of dimensions of the result, if its first axis is that of the samples. */
type Rule = (node: onnx.INodeProto, state: KnownValues) => number | undefined;

const rankOf = (node: onnx.INodeProto, { ranks }: KnownValues, i = 0): number | undefined =>
  ranks.get(inputOf(node, i));
const isConstant = ({ samples }: KnownValues, name: string): boolean => !samples.has(name);

/** Keeps the rank. The other inputs are weights, axes or the like. */
const keeps: Rule = (node, state) =>
  (node.input ?? []).slice(1).every((name) => isConstant(state, name)) ? rankOf(node, state) : undefined;

/**
 * Handles values that are broadcast against each other: those of samples must have the most dimensions, and all the
 * same number.
 */
const broadcasts: Rule = (node, state) => {
  const { ranks, samples } = state;
  const names = (node.input ?? []).filter((name) => name !== '');
  const ofSamples = names.filter((name) => samples.has(name)).map((name) => ranks.get(name));
  const [rank] = ofSamples;
  if (rank === undefined || ofSamples.some((other) => other !== rank)) return undefined;
  const others = names.filter((name) => !samples.has(name)).map((name) => dimsOf(name, state));
  const fits = others.every((dims) => dims && (dims.length < rank || (dims.length === rank && dims[0] === 1)));
  return fits ? rank : undefined;
};

const notFirstAxis = (axis: number, rank: number): boolean => axis !== 0 && axis !== -rank;

/** Keeps the rank of an operator that works along one axis, unless that is the axis of the samples. */
const along =
  (standard: number): Rule =>
  (node, state) => {
    const rank = keeps(node, state);
    return rank !== undefined && notFirstAxis(intOf(node, 'axis', standard), rank) ? rank : undefined;
  };

const reduces: Rule = (node, state) => {
  const rank = keeps(node, state);
  const axes = intsOf(node, state, 'axes', 1);
  if (rank === undefined || !axes?.length || !axes.every((axis) => notFirstAxis(axis, rank))) return undefined;
  return intOf(node, 'keepdims', 1) === 1 ? rank : rank - axes.length;
};

const matMul: Rule = (node, state) => {
  const rank = rankOf(node, state);
  if (rank === undefined || rank < 2) return undefined;
  const other = inputOf(node, 1);
  if (isConstant(state, other)) return dimsOf(other, state)?.length === 2 ? rank : undefined;
  return rank > 2 && state.ranks.get(other) === rank ? rank : undefined;
};

const reshape: Rule = (node, state) => {
  const rank = rankOf(node, state);
  if (rank === undefined) return undefined;
  const size = state.sizes.get(inputOf(node, 1));
  if (size !== undefined) return size;
  const shape = intsOf(node, state, 'shape', 1);
  if (shape?.[0] === 0 && intOf(node, 'allowzero', 0) === 0) return shape.length;
  // -1 stands for the samples if the other sizes have the same product as before; otherwise samples are merged with
  // another axis.
  const [before, after] = [state.shapes.get(inputOf(node, 0)), shape?.slice(1)];
  if (!before || !after?.every((size) => size > 0) || shape?.[0] !== -1) return undefined;
  return elementCount(before.slice(1)) === elementCount(after) ? shape.length : undefined;
};

/** Each rule returns the rank of an operator's results, if their first axis is that of the samples. */
const rankRules: Readonly<Record<string, Rule | undefined>> = {
  ...all(keeps, keeping),
  ...all(broadcasts, broadcasting),
  ...all(reduces, ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceLogSumExp']),
  ...all(along(-1), ['Softmax', 'LogSoftmax', 'Hardmax', 'LayerNormalization', 'LpNormalization']),
  Split: along(0),
  // These are columns of a table, each as often as the indices name it.
  Gather: (node, state) => {
    const [rank, indices] = [keeps(node, state), state.constant(inputOf(node, 1))?.dims];
    if (rank === undefined || !indices || !notFirstAxis(intOf(node, 'axis', 0), rank)) return undefined;
    return rank - 1 + indices.length;
  },
  Concat: (node, state) => {
    const ranks = (node.input ?? []).map((name) => state.ranks.get(name));
    const [rank] = ranks;
    if (rank === undefined || ranks.some((other) => other !== rank)) return undefined;
    return notFirstAxis(intOf(node, 'axis', 0), rank) ? rank : undefined;
  },
  Flatten: (node, state) => (intOf(node, 'axis', 1) === 1 && rankOf(node, state) ? 2 : undefined),
  Gemm: (node, state) => (intOf(node, 'transA', 0) === 0 ? keeps(node, state) : undefined),
  MatMul: matMul,
  Reshape: reshape,
  Transpose: (node, state) =>
    Number(attributeOf(node, 'perm')?.ints?.[0] ?? -1) === 0 ? rankOf(node, state) : undefined,
  Squeeze: (node, state) => {
    const [rank, axes] = [keeps(node, state), intsOf(node, state, 'axes', 1)];
    return rank !== undefined && axes?.every((axis) => notFirstAxis(axis, rank)) ? rank - axes.length : undefined;
  },
  Unsqueeze: (node, state) => {
    const [rank, axes] = [keeps(node, state), intsOf(node, state, 'axes', 1)];
    if (rank === undefined || !axes) return undefined;
    return axes.every((axis) => notFirstAxis(axis, rank + axes.length)) ? rank + axes.length : undefined;
  },
  Slice: (node, state) => {
    const [rank, axes] = [keeps(node, state), intsOf(node, state, 'axes', 3)];
    return rank !== undefined && axes?.every((axis) => notFirstAxis(axis, rank)) ? rank : undefined;
  },
  Pad: (node, state) => {
    const [rank, pads] = [keeps(node, state), intsOf(node, state, 'pads', 1)];
    return rank !== undefined && pads?.length === 2 * rank && pads[0] === 0 && pads[rank] === 0 ? rank : undefined;
  },
  Resize: (node, state) => {
    const [rank, scales] = [keeps(node, state), state.constant(inputOf(node, 2))];
    return rank !== undefined && scales?.values[0] === 1 ? rank : undefined;
  },
};

/** Each rule returns the number of integers in a result that begins with the number of samples. */
const sizeRules: Readonly<Record<string, Rule | undefined>> = {
  Shape: (node, state) => {
    const rank = rankOf(node, state);
    if (rank === undefined || intOf(node, 'start', 0) !== 0) return undefined;
    return Math.min(rank, intOf(node, 'end', Infinity)) || undefined;
  },
  Gather: (node, state) => {
    const index = state.constant(inputOf(node, 1));
    return state.sizes.has(inputOf(node, 0)) && index?.values.length === 1 && index.values[0] === 0 ? 1 : undefined;
  },
  Slice: (node, state) => {
    const [starts, ends] = [intsOf(node, state, 'starts', 1), intsOf(node, state, 'ends', 2)];
    return state.sizes.has(inputOf(node, 0)) && starts?.[0] === 0 && ends?.[0] === 1 ? 1 : undefined;
  },
  ...all((node, state) => state.sizes.get(inputOf(node, 0)), ['Cast', 'Identity', 'Squeeze', 'Unsqueeze', 'Reshape']),
  Concat: (node, state) => {
    const [first, ...others] = node.input ?? [];
    const size = state.sizes.get(first ?? '');
    // Exporters compute a single dimension as a single number.
    const rest = others.map((name) => state.constant(name)?.values.length ?? state.sizes.get(name));
    return rest.reduce((sum, length) => (sum === undefined || length === undefined ? undefined : sum + length), size);
  },
};
