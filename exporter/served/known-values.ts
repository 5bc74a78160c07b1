/**
 * Records what is known of the values of a graph while the axis of the samples is followed through it, and reads the
 * attributes and shapes that the rules need.
 */
import type { onnx } from '../../training/graph/index.ts';
import { attributeOf, type Constants } from './constants.ts';
import type { Names } from './dependents.ts';

/** A shape, with NaN for an unknown size. */
export type Shape = readonly number[];

export interface KnownValues {
  readonly ranks: Map<string, number>;
  /** Counts the integers in values that begin with the number of samples; shapes are put together from such values. */
  readonly sizes: Map<string, number>;
  readonly samples: Names;
  readonly constant: Constants;
  /** Maps first outputs to their nodes. */
  readonly sources: ReadonlyMap<string, onnx.INodeProto>;
  /** Caches the shapes of weights. */
  readonly dims: Map<string, readonly number[] | undefined>;
  /** Maps values to shapes that the file states, or that were derived. */
  readonly shapes: Map<string, Shape>;
}

/** Returns the shapes that the file states. */
export function shapesIn({ input, valueInfo }: onnx.IGraphProto): Map<string, Shape> {
  const known = [...(input ?? []), ...(valueInfo ?? [])].flatMap(({ name, type }) => {
    const dims = type?.tensorType?.shape?.dim;
    return dims ? [[name ?? '', dims.map(({ dimValue }) => Number(dimValue ?? 0) || NaN)] as const] : [];
  });
  return new Map(known);
}

export const inputOf = (node: onnx.INodeProto, i: number): string => node.input?.[i] ?? '';

export const intOf = (node: onnx.INodeProto, name: string, standard: number): number =>
  Number(attributeOf(node, name)?.i ?? standard);

/** Reads integers from an attribute, or from an input as in later opsets. */
export function intsOf(
  node: onnx.INodeProto,
  { constant }: KnownValues,
  name: string,
  i: number,
): readonly number[] | undefined {
  const attribute = attributeOf(node, name);
  if (attribute) return (attribute.ints ?? []).map(Number);
  const values = constant(inputOf(node, i))?.values;
  return values && Array.from(values);
}

/** Operators that keep the number of dimensions of their first input, and the first axis. */
export const keeping: ReadonlySet<string> = new Set([
  ...['Abs', 'Acos', 'Acosh', 'Asin', 'Asinh', 'Atan', 'Atanh', 'Ceil', 'Celu', 'Clip', 'Cos', 'Cosh', 'Elu', 'Erf'],
  ...['Exp', 'Floor', 'Gelu', 'HardSigmoid', 'HardSwish', 'Identity', 'IsInf', 'IsNaN', 'LeakyRelu', 'Log', 'Mish'],
  ...['Neg', 'Not', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Sinh', 'Softplus', 'Softsign'],
  ...['Sqrt', 'Swish', 'Tan', 'Tanh', 'ThresholdedRelu', 'Cast', 'Dropout', 'QuantizeLinear', 'DequantizeLinear'],
  ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LRN', 'MeanVarianceNormalization'],
  ...['Conv', 'ConvTranspose', 'QLinearConv', 'ConvInteger', 'MaxPool', 'AveragePool', 'LpPool'],
  ...['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool', 'DepthToSpace', 'SpaceToDepth'],
]);

/** Operators whose inputs are broadcast against each other. */
export const broadcasting: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'PRelu', 'Where', 'Max', 'Min', 'Sum', 'Mean'],
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor'],
]);

/** Weights go through a few operators, at most. */
const LONGEST_CHAIN = 20;

/**
 * Returns the shape of a value that does not depend on the samples: it is stored, or computed element by element from
 * stored numbers.
 */
export function dimsOf(name: string, known: KnownValues, steps = 0): Shape | undefined {
  if (steps > LONGEST_CHAIN) return undefined;
  if (!known.dims.has(name)) known.dims.set(name, known.constant(name)?.dims ?? computedDims(name, known, steps + 1));
  return known.dims.get(name);
}

function computedDims(name: string, known: KnownValues, steps: number): Shape | undefined {
  const source = known.sources.get(name);
  const [first, second, ...others] = source?.input ?? [];
  if (!source || first === undefined || others.length > 0) return undefined;
  const dims = dimsOf(first, known, steps);
  if (source.opType === 'Transpose') return transposed(source, dims);
  const opType = source.opType ?? '';
  if (opType === 'CastLike' || (keeping.has(opType) && second === undefined)) return dims;
  if (!broadcasting.has(opType) || second === undefined) return undefined;
  return broadcast(dims, dimsOf(second, known, steps));
}

function transposed(node: onnx.INodeProto, dims: Shape | undefined): Shape | undefined {
  const perm = attributeOf(node, 'perm')?.ints?.map(Number);
  return perm ? dims && perm.map((axis) => dims[axis] ?? NaN) : dims?.toReversed();
}

export function broadcast(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (!a || !b) return undefined;
  const rank = Math.max(a.length, b.length);
  const sizeAt = (dims: Shape, axis: number): number => dims[axis - (rank - dims.length)] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(sizeAt(a, axis), sizeAt(b, axis)));
}

/** Returns a table with the same rule for several operators. */
export function all<R>(rule: R, names: Iterable<string>): Readonly<Record<string, R>> {
  return Object.fromEntries(Array.from(names, (name) => [name, rule]));
}
