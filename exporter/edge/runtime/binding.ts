/**
 * Runs single samples, as most requests are, on tensors that stay in linear memory for every input and output, so that
 * a run allocates, names and describes nothing. Every run overwrites the bound outputs as a whole.
 */

import { elementCount } from '../../../training/arrays/index.ts';
import type { Pointer } from './glue.ts';
import { createTensor, layoutOf } from './ort-tensor.ts';
import { allocate } from './ort.ts';
import type { Binding, BoundTensor, Feed, NamedValue, OrtInstance, SessionRecord } from './ort.ts';
import { bytesOf, copyData, elementBytes, isFree, unitShape } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/**
 * Allocates the tensors for runs of one sample.
 *
 * @returns undefined if the shape of an output depends on more than the inputs' shapes, or the model refuses zeros
 */
export function bind(instance: OrtInstance, { handle, inputs, outputs }: SessionRecord): Binding | undefined {
  if ([...inputs, ...outputs].some(({ anyShape }) => anyShape)) return undefined;
  const sizes = inputs.flatMap(({ shape }) => shape).filter((dimension) => typeof dimension === 'string');
  const known = (dimension: number | string) => !isFree(dimension) || sizes.includes(String(dimension));
  if (!outputs.every(({ shape }) => shape.every(known))) return undefined;
  const { ort, heap } = instance;
  const stack = ort.stackSave();
  const lists = allocate(ort, 8 * (inputs.length + outputs.length), 'lists of tensors');
  const bound = inputs.map((input) => bindInput(instance, input));
  const unbound = outputs.map(({ namePointer }) => ({ namePointer, tensor: 0 }));
  const tensors = run(instance, handle, lists, bound, unbound);
  const results = tensors?.map((tensor, i) => bindOutput(instance, outputs[i], tensor));
  ort.stackRestore(stack);
  heap.setWords(lists, Array<number>(2 * (inputs.length + outputs.length)).fill(0));
  return results && { inputs: bound, outputs: results, lists };
}

/** Is true if the feeds have the shapes of the bound inputs. */
export function fits({ inputs }: Binding, feeds: readonly Feed[]): boolean {
  return feeds.every(({ tensor }, i) => tensor.shape.every((size, axis) => size === inputs[i]?.shape[axis]));
}

/** @returns copies of the requested outputs, or undefined if ONNX Runtime refuses */
export function runBound(
  instance: OrtInstance,
  session: Pointer,
  { inputs, outputs, lists }: Binding,
  feeds: readonly Feed[],
  wanted: readonly NamedValue[],
): Record<string, Tensor> | undefined {
  const { heap } = instance;
  feeds.forEach(({ tensor }, i) => {
    heap.bytes.set(bytesOf(tensor.data), inputs[i]?.data);
  });
  const bound = outputs.filter(({ name }) => wanted.some((value) => value.name === name));
  if (!run(instance, session, lists, inputs, bound)) return undefined;
  return Object.fromEntries(bound.map((output) => [output.name, read(instance, output)]));
}

type Argument = Pick<BoundTensor, 'namePointer' | 'tensor'>;

/** @returns the output tensors, or undefined if ONNX Runtime refuses */
function run(
  { ort, heap, runOptions }: OrtInstance,
  session: Pointer,
  lists: Pointer,
  inputs: readonly Argument[],
  outputs: readonly Argument[],
): readonly Pointer[] | undefined {
  const inputTensors = lists + 4 * inputs.length;
  const outputNames = inputTensors + 4 * inputs.length;
  const outputTensors = outputNames + 4 * outputs.length;
  const { words } = heap;
  const write = (address: Pointer, key: keyof Argument) => (one: Argument, i: number) => {
    words[(address >>> 2) + i] = one[key];
  };
  inputs.forEach(write(lists, 'namePointer'));
  inputs.forEach(write(inputTensors, 'tensor'));
  outputs.forEach(write(outputNames, 'namePointer'));
  outputs.forEach(write(outputTensors, 'tensor'));
  const [taken, given] = [inputs.length, outputs.length];
  const status = ort._OrtRun(session, lists, inputTensors, taken, outputNames, given, outputTensors, runOptions);
  return status === 0 ? outputs.map((_, i) => heap.word(outputTensors + 4 * i)) : undefined;
}

function bindInput(instance: OrtInstance, { name, namePointer, dtype, shape: free }: NamedValue): BoundTensor {
  const shape = unitShape(free);
  const bytes = elementCount(shape) * elementBytes(dtype);
  const data = allocate(instance.ort, bytes, `input ${name}`);
  instance.heap.bytes.fill(0, data, data + bytes);
  return { name, namePointer, dtype, shape, data, tensor: createTensor(instance, { dtype, shape, data }, bytes) };
}

function bindOutput(instance: OrtInstance, value: NamedValue | undefined, tensor: Pointer): BoundTensor {
  if (!value) throw new Error('internal: expected as many outputs as were asked for');
  return { name: value.name, namePointer: value.namePointer, tensor, ...layoutOf(instance, tensor) };
}

function read({ heap }: OrtInstance, { dtype, shape, data }: BoundTensor): Tensor {
  return { dtype, shape: [...shape], data: copyData(dtype, heap.bytes, data, elementCount(shape)) };
}
