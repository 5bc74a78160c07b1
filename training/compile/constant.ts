/** Computes nodes whose inputs are all stored when the model is compiled, in float64. */
import { type DType, knownSizes, type Node, type Shape, type Tensor, type Value } from '../graph/index.ts';
import { at, elementCount, present } from '../arrays/index.ts';
import { CompileError } from './error.ts';

export type Numbers = Float64Array;

/** Returns the elements as numbers; a boolean is 0 or 1. */
export const numbersOf = ({ data }: Tensor): Numbers =>
  data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Float64Array.from(data, Number)
    : new Float64Array(data);

/**
 * Returns integers and booleans as lanes hold them.
 *
 * @throws CompileError for an integer of more than 32 bits
 */
export function lanesOf(name: string, dtype: DType, numbers: Numbers): Int32Array {
  const lanes = Int32Array.from(numbers, (number) => (dtype === 'bool' ? -number : number));
  // A lane holds the bits of an unsigned integer.
  const valueOf = (lane: number): number => (dtype === 'uint32' ? lane >>> 0 : lane);
  const wide = dtype === 'bool' ? undefined : numbers.find((number, i) => valueOf(present(lanes[i])) !== number);
  if (wide !== undefined) throw new CompileError(`${name}: expected integers of 32 bits, got ${wide}`);
  return lanes;
}

export const float32 = (shape: readonly number[], numbers: ArrayLike<number>): Tensor<'float32'> => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(numbers),
});

type Fold = (node: Node, inputs: readonly Tensor[], shape: readonly number[]) => Tensor | undefined;

const sameElements: Fold = (_node, [X], shape) => X && { ...X, shape };

const unary =
  (f: (x: number) => number): Fold =>
  (_node, [X], shape) =>
    X?.dtype === 'float32' ? float32(shape, numbersOf(X).map(f)) : undefined;

const binary =
  (f: (a: number, b: number) => number): Fold =>
  (_node, [A, B], shape) => {
    if (A?.dtype !== 'float32' || B?.dtype !== 'float32') return undefined;
    const [a, b] = [broadcast(A, shape), broadcast(B, shape)];
    return float32(
      shape,
      a.map((x, i) => f(x, present(b[i]))),
    );
  };

const folds: { readonly [O in Node['op']]?: Fold } = {
  Identity: sameElements,
  Reshape: sameElements,
  Flatten: sameElements,
  Transpose: (node, [X], shape) =>
    X && node.op === 'Transpose' && X.dtype === 'float32'
      ? float32(shape, transposed(numbersOf(X), X.shape, node.attributes.perm))
      : undefined,
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Neg: unary((x) => -x),
  Sqrt: unary(Math.sqrt),
};

/** @returns undefined where the node is left to the program */
export function foldConstant(node: Node, shape: Shape): Tensor | undefined {
  const values: readonly (Value | undefined)[] = node.inputs;
  const inputs = values.flatMap((value) => value?.constant ?? []);
  const fold = folds[node.op];
  return fold && inputs.length === values.length ? fold(node, inputs, knownSizes(shape)) : undefined;
}

/** Repeats the elements of a tensor to a larger shape, row-major. */
export function broadcast(tensor: Tensor, shape: readonly number[]): Numbers {
  const numbers = numbersOf(tensor);
  const strides = broadcastStrides(tensor.shape, shape);
  return walk(shape, strides).map((index) => present(numbers[index]));
}

/** Returns the strides, in elements, for each axis of `shape`: 0 where the smaller shape is repeated. */
export function broadcastStrides(smaller: readonly number[], shape: readonly number[]): readonly number[] {
  const missing = shape.length - smaller.length;
  const own = stridesOf(smaller);
  return shape.map((_, axis) => (axis < missing || smaller[axis - missing] === 1 ? 0 : at(own, axis - missing)));
}

export const stridesOf = (shape: readonly number[]): readonly number[] =>
  shape.map((_, axis) => elementCount(shape.slice(axis + 1)));

function transposed(numbers: Numbers, shape: readonly number[], perm: readonly number[]): Numbers {
  const strides = stridesOf(shape);
  const permuted = (list: readonly number[]): readonly number[] => perm.map((axis) => at(list, axis));
  return walk(permuted(shape), permuted(strides)).map((index) => present(numbers[index]));
}

/** Returns the index that the strides lead to, for each position of `shape` in row-major order. */
function walk(shape: readonly number[], strides: readonly number[]): Numbers {
  const indices = new Float64Array(elementCount(shape));
  const position = shape.map(() => 0);
  let index = 0;
  for (let flat = 0; flat < indices.length; flat++) {
    indices[flat] = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = present(position[axis]) + 1;
      index += present(strides[axis]);
      position[axis] = next;
      if (next < present(shape[axis])) break;
      index -= next * present(strides[axis]);
      position[axis] = 0;
    }
  }
  return indices;
}
