/**
 * Runs one model: a thin typed wrapper over `OrtRun`. It checks feeds before it enters WebAssembly. After a trap it
 * restores the image and tries once more.
 */

import { elementCount } from '../../../training/arrays/index.ts';
import { fits, runBound } from './binding.ts';
import { Call } from './call.ts';
import { checkFeeds, outputsAsked } from './feeds.ts';
import { InferenceError, TrapError } from './ort.ts';
import type { Feed, NamedValue, OrtInstance, SessionRecord, Started } from './ort.ts';
import { createData, unitShape } from './tensor.ts';
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

  /** Is true if the model's weights are loaded. */
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
   *
   * @throws FeedError if a feed is missing, unknown or not what the model takes
   * @throws InferenceError if ONNX Runtime refuses, with its message; an over-large batch is `std::bad_alloc`
   * @throws TrapError if the run needs code that no case of the build has reached
   */
  run(feeds: Tensors, outputNames?: readonly string[]): Record<string, Tensor> {
    if (!this.isReady) throw new Error(`${this.name}: expected its weights to be loaded, got none (await load(…))`);
    const inputs = checkFeeds(this.name, this.#record.inputs, feeds);
    const outputs = outputsAsked(this.name, this.#record.outputs, outputNames);
    try {
      return this.#attempt(inputs, outputs);
    } catch (error) {
      if (error instanceof InferenceError || !this.#instance.restore) throw error;
      return this.#retry(this.#instance.restore, inputs, outputs);
    }
  }

  /**
   * Runs on the bound tensors if the feeds fit them. If ONNX Runtime refuses, the run is repeated without them, so that
   * its error is that of an unbound run.
   */
  #attempt(inputs: readonly Feed[], outputs: readonly NamedValue[]): Record<string, Tensor> {
    const { handle, binding } = this.#record;
    const bound = binding && fits(binding, inputs) && runBound(this.#instance, handle, binding, inputs, outputs);
    return bound || new Call(this.#instance, handle).run(inputs, outputs);
  }

  /**
   * Restores the image and runs again. A trap leaves memory and stack undefined, so nothing of them is kept; if the run
   * traps again, the model is the cause.
   */
  #retry(
    restore: NonNullable<OrtInstance['restore']>,
    inputs: readonly Feed[],
    outputs: readonly NamedValue[],
  ): Record<string, Tensor> {
    restore(this.name);
    try {
      return this.#attempt(inputs, outputs);
    } catch (error) {
      if (error instanceof InferenceError) throw error;
      restore(this.name);
      throw new TrapError(`model ${this.name} trapped twice: ${String(error)}`, { cause: error });
    }
  }
}

export function sessionsOf({ instance, sessions }: Started): ReadonlyMap<string, Session> {
  return new Map(Object.entries(sessions).map(([name, record]) => [name, new Session(name, instance, record)]));
}

/**
 * Runs a session on zeros, with every free dimension 1, so that the engine has compiled what the first request needs. A
 * model that refuses such feeds is left as it is. A single run is enough: further ones only start the optimising
 * compiler, whose threads then slow the first request down.
 */
export function warmUp(session: Pick<Session, 'inputs' | 'run'>): void {
  const feeds = Object.fromEntries(session.inputs.map((input) => [input.name, zeros(input)]));
  try {
    session.run(feeds);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
  }
}

function zeros({ dtype, shape: free }: ValueInfo): Tensor {
  const shape = unitShape(free);
  return { dtype, shape, data: createData(dtype, elementCount(shape)) };
}
