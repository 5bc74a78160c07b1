/**
 * Finds the values of a graph whose first axis is that of the request's samples, each once, which is needed to look into
 * a layer for one sample. A value for which that is not certain is left out.
 */
import { elementCount } from '../../training/arrays/index.ts';
import type { onnx } from '../../training/graph/index.ts';
import { attributeOf, type Constants } from './constants.ts';
import { bodiesOf, type Names, sourcesOf } from './dependents.ts';

/** Maps the names of values whose first axis is that of the samples to their numbers of dimensions. */
export type SampleRanks = ReadonlyMap<string, number>;

/** @param samples the values that depend on the request */
export function sampleRanks(graph: onnx.IGraphProto, samples: Names, constant: Constants): SampleRanks {
  const sources = sourcesOf(graph.node ?? []);
  const known = { samples, constant, sources };
  const state: State = { ranks: new Map(), sizes: new Map(), dims: new Map(), shapes: shapesIn(graph), ...known };
  for (const { name, type } of graph.input ?? []) {
    const dims = type?.tensorType?.shape?.dim;
    if (dims?.length && beginsWithSamples(dims)) state.ranks.set(name ?? '', dims.length);
  }
  for (const node of graph.node ?? []) follow(node, state);
  return state.ranks;
}

/** Match the names by which exporters and people say what a dimension is. */
const batch = /^n$|batch|samples/i;
const notBatch = /time|seq|len|frame|step/i;

function beginsWithSamples([first, ...others]: readonly onnx.TensorShapeProto.IDimension[]): boolean {
  const name = first?.dimParam ?? '';
  if (batch.test(name)) return true;
  return !notBatch.test(name) && !others.some(({ dimParam }) => batch.test(dimParam ?? ''));
}

interface State {
  readonly ranks: Map<string, number>;
  /** Counts the integers in values that begin with the number of samples; shapes are put together from such values. */
  readonly sizes: Map<string, number>;
  readonly samples: Names;
  readonly constant: Constants;
  /** Maps first outputs to their nodes. */
  readonly sources: ReadonlyMap<string, onnx.INodeProto>;
  /** Caches the shapes of weights. */
  readonly dims: Map<string, readonly number[] | undefined>;
  /** Maps values to shapes that the file states, or that were derived: NaN for an unknown size. */
  readonly shapes: Map<string, readonly number[]>;
}

function shapesIn({ input, valueInfo }: onnx.IGraphProto): Map<string, readonly number[]> {
  const known = [...(input ?? []), ...(valueInfo ?? [])].flatMap(({ name, type }) => {
    const dims = type?.tensorType?.shape?.dim;
    return dims ? [[name ?? '', dims.map(({ dimValue }) => Number(dimValue ?? 0) || NaN)] as const] : [];
  });
  return new Map(known);
}

function follow(node: onnx.INodeProto, state: State): void {
  if (bodiesOf(node).length > 0) return;
  const [first = ''] = node.output ?? [];
  const size = sizeRules[node.opType ?? '']?.(node, state);
  if (size !== undefined) state.sizes.set(first, size);
  const rank = rules[node.opType ?? '']?.(node, state);
  if (rank === undefined) return;
  for (const output of node.output ?? []) state.ranks.set(output, rank);
  const shape = state.shapes.get(first) ?? shapeRules[node.opType ?? '']?.(node, state);
  if (shape) state.shapes.set(first, shape);
}

type ShapeRule = (node: onnx.INodeProto, state: State) => readonly number[] | undefined;

const sameShape: ShapeRule = (node, { shapes }) => shapes.get(input(node, 0));

const broadcastShape: ShapeRule = (node, state) => {
  const [a, b] = [0, 1].map((i) => state.shapes.get(input(node, i)) ?? dimsOf(input(node, i), state));
  return broadcast(a, b);
};

/** Returns the shape after a window of weights or of a pool has slid over the places. */
function slide(
  node: onnx.INodeProto,
  shape: readonly number[] | undefined,
  channels: number,
  kernel: readonly number[],
): readonly number[] | undefined {
  const ints = (name: string): readonly number[] => (attributeOf(node, name)?.ints ?? []).map(Number);
  const [strides, pads, dilations] = [ints('strides'), ints('pads'), ints('dilations')];
  const auto = new TextDecoder().decode(attributeOf(node, 'auto_pad')?.s ?? new Uint8Array());
  const sizes = shape?.slice(2).map((size, i) => {
    const stride = strides[i] ?? 1;
    if (auto.startsWith('SAME')) return Math.ceil(size / stride);
    const padded = auto === 'VALID' ? size : size + (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0);
    const steps = (padded - (dilations[i] ?? 1) * ((kernel[i] ?? NaN) - 1) - 1) / stride;
    return intOf(node, 'ceil_mode', 0) === 1 ? NaN : Math.floor(steps) + 1;
  });
  return sizes && [NaN, channels, ...sizes];
}

const pool: ShapeRule = (node, { shapes }) => {
  const shape = shapes.get(input(node, 0));
  return slide(node, shape, shape?.[1] ?? NaN, (attributeOf(node, 'kernel_shape')?.ints ?? []).map(Number));
};

const onePlace: ShapeRule = (node, { shapes }) =>
  shapes.get(input(node, 0))?.map((size, axis) => (axis > 1 ? 1 : size));

/** Derive shapes for the operators that usually lie between the samples and a reshape. */
const shapeRules: Readonly<Record<string, ShapeRule | undefined>> = {
  ...all(sameShape, [
    'BatchNormalization',
    'Relu',
    'Clip',
    'LeakyRelu',
    'Sigmoid',
    'Tanh',
    'Elu',
    'Identity',
    'Dropout',
  ]),
  ...all(broadcastShape, ['Add', 'Sub', 'Mul', 'Div']),
  ...all(pool, ['MaxPool', 'AveragePool']),
  ...all(onePlace, ['GlobalAveragePool', 'GlobalMaxPool']),
  Conv: (node, state) => {
    const [channels = NaN, , ...kernel] = dimsOf(input(node, 1), state) ?? [];
    return slide(node, state.shapes.get(input(node, 0)), channels, kernel);
  },
  Gemm: (node, state) => {
    const weight = dimsOf(input(node, 1), state);
    return [NaN, weight?.[intOf(node, 'transB', 0) === 1 ? 0 : 1] ?? NaN];
  },
  ReduceMean: (node, state) => {
    const [shape, axes] = [state.shapes.get(input(node, 0)), intsOf(node, state, 'axes', 1)];
    const isReduced = (axis: number): boolean =>
      axes?.some((a) => a === axis || a === axis - (shape?.length ?? 0)) ?? false;
    return intOf(node, 'keepdims', 1) === 1
      ? shape?.map((size, axis) => (isReduced(axis) ? 1 : size))
      : shape?.filter((_, axis) => !isReduced(axis));
  },
};

/** Returns the number of dimensions of the result, if its first axis is that of the samples. */
type Rule = (node: onnx.INodeProto, state: State) => number | undefined;

const input = (node: onnx.INodeProto, i: number): string => node.input?.[i] ?? '';
const rankOf = (node: onnx.INodeProto, { ranks }: State, i = 0): number | undefined => ranks.get(input(node, i));
const isConstant = ({ samples }: State, name: string): boolean => !samples.has(name);

const intOf = (node: onnx.INodeProto, name: string, standard: number): number =>
  Number(attributeOf(node, name)?.i ?? standard);

/** Reads integers from an attribute, or from an input as in later opsets. */
function intsOf(node: onnx.INodeProto, { constant }: State, name: string, i: number): readonly number[] | undefined {
  const attribute = attributeOf(node, name);
  if (attribute) return (attribute.ints ?? []).map(Number);
  const values = constant(input(node, i))?.values;
  return values && Array.from(values);
}

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

/** Weights go through a few operators, at most. */
const LONGEST_CHAIN = 20;

/**
 * Returns the shape of a value that does not depend on the samples: it is stored, or computed element by element from
 * stored numbers.
 */
function dimsOf(name: string, state: State, steps = 0): readonly number[] | undefined {
  if (steps > LONGEST_CHAIN) return undefined;
  if (!state.dims.has(name)) state.dims.set(name, state.constant(name)?.dims ?? computedDims(name, state, steps + 1));
  return state.dims.get(name);
}

function computedDims(name: string, state: State, steps: number): readonly number[] | undefined {
  const source = state.sources.get(name);
  const [first, second, ...others] = source?.input ?? [];
  if (!source || first === undefined || others.length > 0) return undefined;
  const dims = dimsOf(first, state, steps);
  if (source.opType === 'Transpose') return transposed(source, dims);
  const rule = rules[source.opType ?? ''];
  if (source.opType === 'CastLike' || (rule === keeps && second === undefined)) return dims;
  return rule === broadcasts && second !== undefined ? broadcast(dims, dimsOf(second, state, steps)) : undefined;
}

function transposed(node: onnx.INodeProto, dims: readonly number[] | undefined): readonly number[] | undefined {
  const perm = attributeOf(node, 'perm')?.ints?.map(Number);
  return perm ? dims && perm.map((axis) => dims[axis] ?? NaN) : dims?.toReversed();
}

function broadcast(a: readonly number[] | undefined, b: readonly number[] | undefined): readonly number[] | undefined {
  if (!a || !b) return undefined;
  const rank = Math.max(a.length, b.length);
  const at = (dims: readonly number[], axis: number): number => dims[axis - (rank - dims.length)] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
}

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
  const other = input(node, 1);
  if (isConstant(state, other)) return dimsOf(other, state)?.length === 2 ? rank : undefined;
  return rank > 2 && state.ranks.get(other) === rank ? rank : undefined;
};

const reshape: Rule = (node, state) => {
  const rank = rankOf(node, state);
  if (rank === undefined) return undefined;
  const size = state.sizes.get(input(node, 1));
  if (size !== undefined) return size;
  const shape = intsOf(node, state, 'shape', 1);
  if (shape?.[0] === 0 && intOf(node, 'allowzero', 0) === 0) return shape.length;
  // -1 stands for the samples if the other sizes have the same product as before; otherwise samples are merged with
  // another axis.
  const [before, after] = [state.shapes.get(input(node, 0)), shape?.slice(1)];
  if (!before || !after?.every((size) => size > 0) || shape?.[0] !== -1) return undefined;
  return elementCount(before.slice(1)) === elementCount(after) ? shape.length : undefined;
};

const rules: Readonly<Record<string, Rule | undefined>> = {
  ...all(keeps, [
    ...['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh', 'Elu', 'Erf'],
    ...['Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity', 'IsInf', 'IsNaN', 'LeakyRelu', 'Log', 'Mish'],
    ...['Neg', 'Not', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Softsign'],
    ...['Sqrt', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu', 'Cast', 'Dropout', 'QuantizeLinear', 'DequantizeLinear'],
    ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LRN', 'MeanVarianceNormalization'],
    ...['Conv', 'ConvTranspose', 'QLinearConv', 'ConvInteger', 'MaxPool', 'AveragePool', 'LpPool'],
    ...['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool', 'DepthToSpace', 'SpaceToDepth'],
  ]),
  ...all(broadcasts, ['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'PRelu', 'Where', 'Max', 'Min', 'Sum', 'Mean']),
  ...all(broadcasts, ['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor']),
  ...all(reduces, ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceLogSumExp']),
  ...all(along(-1), ['Softmax', 'LogSoftmax', 'Hardmax', 'LayerNormalization', 'LpNormalization']),
  Split: along(0),
  // These are columns of a table, each as often as the indices name it.
  Gather: (node, state) => {
    const [rank, indices] = [keeps(node, state), state.constant(input(node, 1))?.dims];
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
    const [rank, scales] = [keeps(node, state), state.constant(input(node, 2))];
    return rank !== undefined && scales?.values[0] === 1 ? rank : undefined;
  },
};

/** Return the number of integers in a result that begins with the number of samples. */
const sizeRules: Readonly<Record<string, Rule | undefined>> = {
  Shape: (node, state) => {
    const rank = rankOf(node, state);
    return intOf(node, 'start', 0) === 0 ? Math.min(rank ?? NaN, intOf(node, 'end', Infinity)) || undefined : undefined;
  },
  Gather: (node, state) => {
    const index = state.constant(input(node, 1));
    return state.sizes.has(input(node, 0)) && index?.values.length === 1 && index.values[0] === 0 ? 1 : undefined;
  },
  Slice: (node, state) => {
    const [starts, ends] = [intsOf(node, state, 'starts', 1), intsOf(node, state, 'ends', 2)];
    return state.sizes.has(input(node, 0)) && starts?.[0] === 0 && ends?.[0] === 1 ? 1 : undefined;
  },
  ...all((node, state) => state.sizes.get(input(node, 0)), ['Cast', 'Identity', 'Squeeze', 'Unsqueeze', 'Reshape']),
  Concat: (node, state) => {
    const [first, ...others] = node.input ?? [];
    const size = state.sizes.get(first ?? '');
    // Exporters compute a single dimension as a single number.
    const rest = others.map((name) => state.constant(name)?.values.length ?? state.sizes.get(name));
    return rest.reduce((sum, length) => (sum === undefined || length === undefined ? undefined : sum + length), size);
  },
};

function all<R>(rule: R, names: readonly string[]): Readonly<Record<string, R>> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}
