/**
 * One model, ready to run: a thin typed wrapper over `OrtRun`. Feeds are checked before WebAssembly is entered; a trap
 * inside restores the image and tries once more.
 */

import type { Pointer } from './glue.ts';
import { allocate, check, checkPointer, InferenceError } from './ort.ts';
import type { NamedValue, OrtInstance, SessionRecord, Started } from './ort.ts';
import { checkTensor, codeOf, copyData, dtypeOf, elementCount, FeedError } from './tensor.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

interface BoundInput {
  readonly value: NamedValue;
  readonly tensor: Tensor;
}

export class Session {
  readonly name: string;
  readonly #instance: OrtInstance;
  readonly #record: SessionRecord;

  constructor(name: string, instance: OrtInstance, record: SessionRecord) {
    this.name = name;
    this.#instance = instance;
    this.#record = record;
  }

  get inputs(): readonly ValueInfo[] {
    return this.#record.inputs;
  }

  get outputs(): readonly ValueInfo[] {
    return this.#record.outputs;
  }

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns copies of the outputs asked for (all by default).
   * @throws FeedError if a feed is missing, unknown or not what the model takes
   * @throws InferenceError if ONNX Runtime refuses, with its message; an over-large batch is `std::bad_alloc`
   */
  run(feeds: Tensors, outputNames?: readonly string[]): Record<string, Tensor> {
    const inputs = this.#bindFeeds(feeds);
    const outputs = outputNames?.map((name) => this.#output(name)) ?? this.#record.outputs;
    try {
      return new Call(this.#instance, this.#record.handle).run(inputs, outputs);
    } catch (error) {
      if (error instanceof InferenceError || !this.#instance.restore) throw error;
      return this.#retry(this.#instance.restore, inputs, outputs);
    }
  }

  /** A trap leaves memory and stack undefined, so nothing of them is kept; a second trap in a row is the model's. */
  #retry(restore: () => void, inputs: readonly BoundInput[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    restore();
    try {
      return new Call(this.#instance, this.#record.handle).run(inputs, outputs);
    } catch (error) {
      if (error instanceof InferenceError) throw error;
      restore();
      throw new Error(`internal: model ${this.name} trapped twice: ${String(error)}`, { cause: error });
    }
  }

  #bindFeeds(feeds: Tensors): readonly BoundInput[] {
    const { inputs } = this.#record;
    const unknown = Object.keys(feeds).find((name) => !inputs.some((input) => input.name === name));
    if (unknown !== undefined) throw new FeedError(`${this.name}: expected ${names(inputs)}, got ${unknown}`);
    return inputs.map((value) => {
      const where = `${this.name} input ${value.name}`;
      const tensor = feeds[value.name];
      if (!tensor) throw new FeedError(`${where}: expected a tensor, got none`);
      checkTensor(where, value, tensor);
      return { value, tensor };
    });
  }

  #output(name: string): NamedValue {
    const found = this.#record.outputs.find((output) => output.name === name);
    if (!found) throw new FeedError(`${this.name}: expected an output of ${names(this.#record.outputs)}, got ${name}`);
    return found;
  }
}

export function sessionsOf({ instance, sessions }: Started): ReadonlyMap<string, Session> {
  return new Map(Object.entries(sessions).map(([name, record]) => [name, new Session(name, instance, record)]));
}

function names(values: readonly ValueInfo[]): string {
  return values.map(({ name }) => name).join(', ');
}

/** One call of `OrtRun` and everything it holds in linear memory until it is over. */
class Call {
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

  /** Releases after success and after a clean error only: after a trap the allocator itself cannot be trusted. */
  run(inputs: readonly BoundInput[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    try {
      const results = this.#run(inputs, outputs);
      this.#release();
      return results;
    } catch (error) {
      if (error instanceof InferenceError) this.#release();
      throw error;
    }
  }

  #run(inputs: readonly BoundInput[], outputs: readonly NamedValue[]): Record<string, Tensor> {
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
    return Object.fromEntries(tensors.map((tensor, i) => [outputs[i]?.name ?? '', this.#read(tensor)]));
  }

  /** The tensor borrows its data, which therefore lives until the call is over. */
  #createTensor({ value, tensor: { dtype, shape, data } }: BoundInput): Pointer {
    const { ort, heap } = this.#instance;
    const address = allocate(ort, data.byteLength, `input ${value.name}`);
    this.#blocks.push(address);
    heap.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    const dims = this.#list(shape);
    const cpu = 1;
    const tensor = ort._OrtCreateTensor(codeOf(dtype), address, data.byteLength, dims, shape.length, cpu);
    this.#tensors.push(checkPointer(this.#instance, tensor));
    return tensor;
  }

  #read(tensor: Pointer): Tensor {
    const { ort, heap } = this.#instance;
    const at = ort.stackAlloc(16);
    check(this.#instance, ort._OrtGetTensorData(tensor, at, at + 4, at + 8, at + 12));
    const [code, address, dims, rank] = [heap.word(at), heap.word(at + 4), heap.word(at + 8), heap.word(at + 12)];
    const shape = Array.from(heap.words.subarray(dims >>> 2, (dims >>> 2) + rank));
    ort._OrtFree(dims);
    const dtype = dtypeOf(code);
    if (!dtype) throw new InferenceError(`output: expected a tensor of numbers, got data type ${code}`);
    return { dtype, shape, data: copyData(dtype, heap.bytes, address, elementCount(shape)) };
  }

  /** Words on the stack of linear memory. */
  #list(values: readonly number[]): Pointer {
    const address = this.#instance.ort.stackAlloc(4 * values.length);
    this.#instance.heap.setWords(address, values);
    return address;
  }

  #release(): void {
    const { ort } = this.#instance;
    for (const tensor of this.#tensors) ort._OrtReleaseTensor(tensor);
    for (const block of this.#blocks) ort._free(block);
    ort.stackRestore(this.#stack);
  }
}
