/** Runs a session once, on tensors of its own, of any size. */

import { at, elementCount } from '../../../training/arrays/index.ts';
import type { Pointer } from './glue.ts';
import { createTensor, layoutOf, stackList } from './ort-tensor.ts';
import { allocate, check, InferenceError } from './ort.ts';
import type { Feed, NamedValue, OrtInstance } from './ort.ts';
import { bytesOf, copyData } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** One call of `OrtRun`. It owns everything that the call keeps in linear memory until it is over. */
export class Call {
  readonly #instance: OrtInstance;
  readonly #session: Pointer;
  readonly #stack: Pointer;
  readonly #blocks: Pointer[] = [];
  readonly #tensors: Pointer[] = [];

  constructor(instance: OrtInstance, session: Pointer) {
    this.#instance = instance;
    this.#session = session;
    this.#stack = instance.ort.stackSave();
  }

  /**
   * Runs the session. It releases memory after success and after a clean error only: after a trap the allocator itself
   * cannot be trusted.
   */
  run(inputs: readonly Feed[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    try {
      const results = this.#run(inputs, outputs);
      this.#release();
      return results;
    } catch (error) {
      if (error instanceof InferenceError) this.#release();
      throw error;
    }
  }

  #run(inputs: readonly Feed[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    const { ort, runOptions } = this.#instance;
    const inputTensors = this.#list(inputs.map((input) => this.#createTensor(input)));
    const inputNames = this.#list(inputs.map(({ value }) => value.namePointer));
    const outputNames = this.#list(outputs.map(({ namePointer }) => namePointer));
    const outputTensors = this.#list(outputs.map(() => 0));
    const status = ort._OrtRun(
      this.#session,
      inputNames,
      inputTensors,
      inputs.length,
      outputNames,
      outputs.length,
      outputTensors,
      runOptions,
    );
    check(this.#instance, status);
    return this.#collect(outputs, outputTensors);
  }

  #collect(outputs: readonly NamedValue[], pointers: Pointer): Record<string, Tensor> {
    const { heap } = this.#instance;
    const tensors = outputs.map((_, i) => heap.word(pointers + 4 * i));
    this.#tensors.push(...tensors);
    return Object.fromEntries(tensors.map((tensor, i) => [at(outputs, i).name, this.#read(tensor)]));
  }

  /** Creates a tensor for an input. The tensor borrows its data, which therefore lives until the call is over. */
  #createTensor({ value, tensor: { dtype, shape, data: values } }: Feed): Pointer {
    const { ort, heap } = this.#instance;
    const data = allocate(ort, values.byteLength, `input ${value.name}`);
    this.#blocks.push(data);
    heap.bytes.set(bytesOf(values), data);
    const tensor = createTensor(this.#instance, { dtype, shape, data }, values.byteLength);
    this.#tensors.push(tensor);
    return tensor;
  }

  #read(tensor: Pointer): Tensor {
    const { dtype, shape, data } = layoutOf(this.#instance, tensor);
    return { dtype, shape, data: copyData(dtype, this.#instance.heap.bytes, data, elementCount(shape)) };
  }

  #list(values: readonly number[]): Pointer {
    return stackList(this.#instance, values);
  }

  #release(): void {
    const { ort } = this.#instance;
    for (const tensor of this.#tensors) ort._OrtReleaseTensor(tensor);
    for (const block of this.#blocks) ort._free(block);
    ort.stackRestore(this.#stack);
  }
}
