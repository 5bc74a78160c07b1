/** Runs a compiled model, with the same interface as a session of ONNX Runtime's, in a module of its own. */

import { start } from '../../../training/program/index.ts';
import type { Run, Runnable } from '../../../training/program/index.ts';
import { type CheckedFeed, checkFeeds, outputsAsked } from './feeds.ts';
import { InferenceError } from './ort.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

type Port = Runnable['inputs'][number] & ValueInfo;

/** Stored beside the module: the ports as ONNX Runtime describes those of the file, and their addresses in memory. */
export interface ProgramRecord {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export class ProgramSession {
  readonly name: string;
  /** Is always true: the weights are in the module. */
  readonly isReady = true;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly #run: Run;

  constructor(name: string, module: WebAssembly.Module, { inputs, outputs }: ProgramRecord) {
    this.name = name;
    this.inputs = inputs;
    this.outputs = outputs;
    this.#run = start(module, this);
  }

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns the outputs asked for (all by default).
   *
   * @throws FeedError if a feed is missing, unknown or not what the model takes
   * @throws InferenceError if the inputs have different batch sizes, or an index lies outside of its axis
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputNames?: readonly string[]): Record<string, Tensor> {
    const tensors = checkFeeds(this.name, this.inputs, feeds);
    const wanted = outputsAsked(this.name, this.outputs, outputNames);
    const sizes = new Set(tensors.flatMap(({ value, tensor }) => (value.perSample ? tensor.shape[0] : [])));
    if (sizes.size > 1) throw new InferenceError(`expected batches of one size, got ${[...sizes].join(' and ')}`);
    const [batch = 1] = sizes;
    const answers = this.#answer(tensors, batch);
    return Object.fromEntries(
      wanted.map(({ name, dtype, shape, perSample }) => {
        const sized = shape.map((size, axis) => (perSample && axis === 0 ? batch : Number(size)));
        return [name, { dtype, shape: sized, data: answers[name] as Tensor['data'] }];
      }),
    );
  }

  /** Runs the program. It carries nothing from one run to the next, so that a trap leaves nothing to restore. */
  #answer(tensors: readonly CheckedFeed<Port>[], batch: number): ReturnType<Run> {
    try {
      return this.#run(Object.fromEntries(tensors.map(({ value, tensor }) => [value.name, tensor.data])), batch);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw new InferenceError('expected indices within their axis');
      // The answers of this many samples fit into no array, or an integer fits into no lane.
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
  return Object.entries(records).map(([name, record], i) => [
    name,
    new ProgramSession(name, modules[i] as WebAssembly.Module, record),
  ]);
}
