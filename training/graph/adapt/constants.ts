/** Stores tensors that a file computes by nodes with constant results. */
import { elementCount } from '../../arrays/index.ts';
import { dtypeOf } from '../onnx-types.ts';
import type { onnx } from '../onnx-proto.ts';
import type { Tensor } from '../types.ts';
import { type Foreign, type Rule } from './foreign.ts';

/**
 * Decodes a stored tensor.
 *
 * @returns undefined for an unknown element type
 */
export type DecodeTensor = (tensor: onnx.ITensorProto) => Tensor | undefined;

const floats = (numbers: readonly number[], shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(numbers),
});

const integers = (numbers: readonly unknown[], shape: readonly number[]): Tensor => ({
  dtype: 'int64',
  shape,
  data: BigInt64Array.from(numbers, (number) => BigInt(Number(number))),
});

function constant(node: Foreign, decode: DecodeTensor): Tensor | undefined {
  const value = node.attribute('value')?.t;
  if (value) return decode(value);
  const [one, many] = [node.attribute('value_float'), node.attribute('value_floats')?.floats];
  if (many) return floats(many, [many.length]);
  if (one) return floats([one.f ?? 0], []);
  const [whole, wholes] = [node.attribute('value_int'), node.attribute('value_ints')?.ints];
  if (wholes) return integers(wholes, [wholes.length]);
  return whole ? integers([whole.i ?? 0], []) : undefined;
}

/** Returns a tensor of one repeated number (0 by default), in a shape that is stored. */
function filled(node: Foreign, decode: DecodeTensor): Tensor | undefined {
  const shape = node.numbersOf(node.x);
  const value = node.attribute('value')?.t;
  const one = value ? decode(value) : floats([0], [1]);
  const count = elementCount(shape ?? []);
  if (!shape || !one || one.data.length !== 1 || count > maxElements) return undefined;
  const data = one.data.constructor as new (length: number) => Tensor['data'];
  return { dtype: one.dtype, shape, data: new data(count).fill(one.data[0] as never) };
}

/** The maximum number of elements: a few bytes of a file may ask for any number. */
const maxElements = 1e7;

const stored =
  (make: (node: Foreign, decode: DecodeTensor) => Tensor | undefined, decode: DecodeTensor): Rule =>
  (node) => {
    const tensor = make(node, decode);
    if (tensor) node.storeAs(node.out, tensor);
    return tensor !== undefined;
  };

export const constants = (decode: DecodeTensor): Readonly<Record<string, Rule | undefined>> => ({
  Constant: stored(constant, decode),
  ConstantOfShape: stored(filled, decode),
  // A cast of a stored tensor becomes a stored tensor.
  Cast: stored(castOf, decode),
  Shape: stored(shapeOf, decode),
  Size: stored(sizeOf, decode),
});

function castOf(node: Foreign): Tensor | undefined {
  const numbers = node.numbersOf(node.x);
  const to = dtypeOf(node.intOf('to', 0));
  const shape = node.sizesOf(node.x);
  if (!numbers || !shape || !node.hasOnly('to')) return undefined;
  if (to === 'float32') return floats(numbers, shape);
  return to === 'int64' && numbers.every(Number.isSafeInteger) ? integers(numbers, shape) : undefined;
}

/** Returns a shape, if all its sizes are known. */
function shapeOf(node: Foreign): Tensor | undefined {
  const sizes = node.sizesOf(node.x);
  if (!sizes || !node.hasOnly('start', 'end')) return undefined;
  const part = sizes.slice(node.intOf('start', 0), node.intOf('end', sizes.length));
  return integers(part, [part.length]);
}

function sizeOf(node: Foreign): Tensor | undefined {
  const sizes = node.sizesOf(node.x);
  return sizes && integers([elementCount(sizes)], []);
}
