/** A model that has been compiled: the same session as ONNX Runtime's, around a module of its own. */

import { start } from '../../../training/program/index.ts';
import type { Run, Runnable } from '../../../training/program/index.ts';
import { checkFeeds, outputsAsked } from './feeds.ts';
import { InferenceError } from './ort.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

/** What is stored beside the module. */
export interface ProgramRecord extends Runnable {
  /** As ONNX Runtime describes the file's, in the program's order. */
  readonly takes: readonly ValueInfo[];
  readonly gives: readonly ValueInfo[];
}

export class ProgramSession {
  readonly name: string;
  readonly #record: ProgramRecord;
  readonly #run: Run;

  constructor(name: string, module: WebAssembly.Module, record: ProgramRecord) {
    this.name = name;
    this.#record = record;
    this.#run = start(module, record);
  }

  /** Its weights are in its module. */
  get isReady(): boolean {
    return true;
  }

  get inputs(): readonly ValueInfo[] {
    return this.#record.takes;
  }

  get outputs(): readonly ValueInfo[] {
    return this.#record.gives;
  }

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns the outputs asked for (all by default).
   * @throws FeedError if a feed is missing, unknown or not what the model takes
   * @throws InferenceError for inputs of several batch sizes, and an index that is none
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputNames?: readonly string[]): Record<string, Tensor> {
    const { inputs, outputs, takes, gives } = this.#record;
    const tensors = checkFeeds(this.name, takes, feeds);
    const wanted = outputsAsked(this.name, gives, outputNames);
    const sizes = tensors.flatMap(({ tensor }, i) => (inputs[i]?.perSample ? [tensor.shape[0] ?? 1] : []));
    const [batch = 1] = sizes;
    if (sizes.some((size) => size !== batch))
      throw new InferenceError(`expected batches of one size, got ${sizes.join(' and ')}`);
    const answers = this.#answer(
      Object.fromEntries(tensors.map(({ value, tensor }) => [value.name, tensor.data])),
      batch,
    );
    return Object.fromEntries(
      wanted.map((value) => {
        const port = outputs[gives.indexOf(value)];
        const shape = (port?.shape ?? []).map((size, axis) => (port?.perSample && axis === 0 ? batch : Number(size)));
        return [value.name, { dtype: value.dtype, shape, data: answers[value.name] as Tensor['data'] }];
      }),
    );
  }

  /** Nothing is carried from one run to the next, so that a trap leaves nothing to put right. */
  #answer(data: Parameters<Run>[0], batch: number): ReturnType<Run> {
    try {
      return this.#run(data, batch);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw new InferenceError('expected indices within their axis');
      // Arrays for the answers of so many samples, or an integer that no lane holds.
      if (error instanceof RangeError)
        throw new InferenceError(/integer/.test(error.message) ? error.message : `out of memory: ${error.message}`);
      throw error;
    }
  }
}

/** @param modules in the order of the records */
export function programsOf(
  modules: readonly WebAssembly.Module[],
  records: Readonly<Record<string, ProgramRecord>>,
): readonly (readonly [string, ProgramSession])[] {
  return Object.entries(records).flatMap(([name, record], i) => {
    const module = modules[i];
    return module ? [[name, new ProgramSession(name, module, record)] as const] : [];
  });
}
