/**
 * One model, ready to run: a thin typed wrapper over `OrtRun`. Feeds are checked before WebAssembly is entered; a trap
 * inside restores the image and tries once more.
 */

import { fits, runBound } from './binding.ts';
import { Call } from './call.ts';
import { InferenceError, TrapError } from './ort.ts';
import type { Feed, NamedValue, OrtInstance, SessionRecord, Started } from './ort.ts';
import { checkTensor, FeedError } from './tensor.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

export class Session {
  readonly name: string;
  readonly #instance: OrtInstance;
  readonly #record: SessionRecord;

  constructor(name: string, instance: OrtInstance, record: SessionRecord) {
    this.name = name;
    this.#instance = instance;
    this.#record = record;
  }

  /** Whether its weights are there. */
  get isReady(): boolean {
    return !this.#instance.lacksWeights?.(this.name);
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
   * @throws TrapError if the run needs what no case of the build has reached
   */
  run(feeds: Tensors, outputNames?: readonly string[]): Record<string, Tensor> {
    if (!this.isReady) throw new Error(`${this.name}: expected its weights to be loaded, got none (await load(…))`);
    const inputs = this.#checkFeeds(feeds);
    const outputs = outputNames?.map((name) => this.#output(name)) ?? this.#record.outputs;
    try {
      return this.#attempt(inputs, outputs);
    } catch (error) {
      if (error instanceof InferenceError || !this.#instance.restore) throw error;
      return this.#retry(this.#instance.restore, inputs, outputs);
    }
  }

  /** What the binding refuses is asked for again without it: the error, if it is one, is that of an unbound run. */
  #attempt(inputs: readonly Feed[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    const { handle, binding } = this.#record;
    const bound = binding && fits(binding, inputs) && runBound(this.#instance, handle, binding, inputs, outputs);
    return bound || new Call(this.#instance, handle).run(inputs, outputs);
  }

  /** A trap leaves memory and stack undefined, so nothing of them is kept; a second trap in a row is the model's. */
  #retry(restore: () => void, inputs: readonly Feed[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    restore();
    try {
      return this.#attempt(inputs, outputs);
    } catch (error) {
      if (error instanceof InferenceError) throw error;
      restore();
      throw new TrapError(`model ${this.name} trapped twice: ${String(error)}`, { cause: error });
    }
  }

  #checkFeeds(feeds: Tensors): readonly Feed[] {
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
