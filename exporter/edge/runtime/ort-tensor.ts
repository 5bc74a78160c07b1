/** Creates and reads ONNX Runtime's tensors in linear memory, by address. */

import type { Pointer } from './glue.ts';
import { check, checkPointer, InferenceError } from './ort.ts';
import type { OrtInstance } from './ort.ts';
import { codeOf, dtypeOf } from './tensor.ts';
import type { DType } from './tensor.ts';

export interface TensorLayout {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** `data` is the address of the first element. */
  readonly data: Pointer;
}

type Ort = Pick<OrtInstance, 'ort' | 'heap'>;

/** Writes words onto the stack of linear memory, and returns their address. */
export function stackList({ ort, heap }: Ort, values: readonly number[]): Pointer {
  const address = ort.stackAlloc(4 * values.length);
  heap.setWords(address, values);
  return address;
}

/** Creates a tensor that borrows `bytes` of data, which must outlive it. It uses the stack. */
export function createTensor(instance: Ort, { dtype, shape, data }: TensorLayout, bytes: number): Pointer {
  const cpu = 1;
  const dims = stackList(instance, shape);
  const tensor = instance.ort._OrtCreateTensor(codeOf(dtype), data, bytes, dims, shape.length, cpu);
  return checkPointer(instance, tensor);
}

/**
 * Reads a tensor's type, shape and address. It uses the stack.
 *
 * @throws InferenceError if it is not a tensor of numbers
 */
export function layoutOf(instance: Ort, tensor: Pointer): TensorLayout {
  const { ort, heap } = instance;
  const at = ort.stackAlloc(16);
  check(instance, ort._OrtGetTensorData(tensor, at, at + 4, at + 8, at + 12));
  const [code, data, dims, rank] = [heap.word(at), heap.word(at + 4), heap.word(at + 8), heap.word(at + 12)];
  const shape = Array.from(heap.words.subarray(dims >>> 2, (dims >>> 2) + rank));
  ort._OrtFree(dims);
  const dtype = dtypeOf(code);
  if (!dtype) throw new InferenceError(`output: expected a tensor of numbers, got data type ${code}`);
  return { dtype, shape, data };
}
