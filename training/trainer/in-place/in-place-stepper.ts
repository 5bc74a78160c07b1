/**
 * Takes steps whose state stays in place. ONNX Runtime reads the parameters and writes the gradients; a compiled
 * program updates the state in the same memory. Nothing is copied, and a call of many steps costs no more than its
 * steps.
 *
 *     rows of the data set ─▶ x ─▶ gradients ─▶ │ gradient  θ  m  v │ ◀─▶ update
 *                                      ▲─────────────────── θ ──────┘
 */
import { availableParallelism } from 'node:os';
import { present } from '../../arrays/index.ts';
import type { Backend, BoundSession, NamedTensors } from '../../backend/index.ts';
import { releasingOnError } from '../../files/index.ts';
import type { Tensor, Value } from '../../graph/index.ts';
import { findNonFinite } from '../finite.ts';
import { inputsTensor } from '../samples.ts';
import type { State } from '../state.ts';
import type { StepProblem } from '../step-problem.ts';
import { divergenceAfter, type Stepper, type StepResults } from '../stepper.ts';
import { gradientGraph, measuredBy } from './gradient-graph.ts';
import { layoutOf } from './layout.ts';
import { compileUpdate, isLarge, openMemory, type StateMemory } from './memory.ts';
import { packed } from './packs.ts';
import { gatherRows, roomFor } from './rows.ts';

/** @returns undefined where the backend's tensors lie elsewhere, or the update cannot be compiled for this machine */
export async function openInPlaceStepper(
  problem: StepProblem,
  backend: Backend,
  state: State,
): Promise<Stepper | undefined> {
  const { bindSession } = backend;
  if (!bindSession) return undefined;
  const { graph, layout } = gradientsOf(problem);
  const asked = backend.sharesMemory && isLarge(layout) ? (backend.threadsOf?.(graph) ?? 1) : 1;
  // Results do not depend on the number of these threads, and more threads than cores only take turns.
  const threads = Math.min(asked, availableParallelism());
  const shared = threads > 1 ? threads : undefined;
  const update = compileUpdate(layout, problem.options, shared !== undefined);
  if (!update) return undefined;
  const memory = openMemory(layout, update, shared, backend.onThreadEnd);
  for (const [name, { data }] of state) memory.tensors.get(name)?.data.set(data);
  const batch = openBatch(problem);
  const inputs = tensorsFor(graph.inputs, { ...Object.fromEntries([...state, ...memory.tensors]), ...batch.inputs });
  const outputs = tensorsFor(graph.outputs, { ...Object.fromEntries(memory.tensors), ...batch.outputs });
  const session = await releasingOnError([memory], () => bindSession(graph, inputs, outputs));
  return new InPlaceStepper(problem, session, memory, batch, state);
}

/** Is true when there is such a stepper. That depends on the problem, the backend and the engine alone. */
export const isInPlace = (problem: StepProblem, { bindSession }: Backend): boolean =>
  bindSession !== undefined && compileUpdate(gradientsOf(problem).layout, problem.options) !== undefined;

function gradientsOf({ plan, options }: StepProblem) {
  const graph = gradientGraph(plan, options);
  return packed({ graph, layout: layoutOf(plan, options, measuredBy(graph)) });
}

/** The arrays that hold a mini-batch, and those that receive its results besides the gradients. */
interface Batch {
  readonly inputs: { readonly x: Tensor; readonly targets: Tensor; readonly step: Tensor<'int64'> };
  readonly outputs: { readonly loss: Tensor<'float32'>; readonly score: Tensor<'float32'> };
}

const openBatch = ({ samples, targets, batchSize }: StepProblem): Batch => ({
  inputs: {
    x: roomFor(inputsTensor(samples), batchSize),
    targets: roomFor(targets, batchSize),
    step: { dtype: 'int64', shape: [], data: new BigInt64Array(1) },
  },
  outputs: { loss: oneNumber(), score: oneNumber() },
});

const oneNumber = (): Tensor<'float32'> => ({ dtype: 'float32', shape: [], data: new Float32Array(1) });

function tensorsFor(values: readonly Value[], tensors: NamedTensors): NamedTensors {
  const entries = values.map(({ name }) => {
    const tensor = tensors[name];
    if (!tensor) throw new Error(`internal: ${name} lies nowhere`);
    return [name, tensor] as const;
  });
  return Object.fromEntries(entries);
}

class InPlaceStepper implements Stepper {
  readonly hasFreeCalls = true;
  readonly #problem: StepProblem;
  readonly #session: BoundSession;
  readonly #memory: StateMemory;
  readonly #batch: Batch;
  /** The inputs of all samples. */
  #inputs: Tensor;
  /** A copy of the state after the last step, made on demand; undefined before that. */
  #state: State | undefined;
  readonly #initial: State;

  constructor(problem: StepProblem, session: BoundSession, memory: StateMemory, batch: Batch, state: State) {
    this.#problem = problem;
    this.#session = session;
    this.#memory = memory;
    this.#batch = batch;
    this.#inputs = inputsTensor(problem.samples);
    this.#initial = state;
    this.#state = state;
  }

  get state(): State {
    return (this.#state ??= this.#copyState());
  }

  async take(order: Int32Array, done: number): Promise<StepResults> {
    const { batchSize } = this.#problem;
    const { loss, score } = this.#batch.outputs;
    const steps = order.length / batchSize;
    const results = { loss: new Float32Array(steps), score: new Float32Array(steps) };
    this.#state = undefined;
    for (let step = 0; step < steps; step++) {
      await this.#step(order.subarray(step * batchSize, (step + 1) * batchSize), done + step);
      results.loss.set(loss.data, step);
      results.score.set(score.data, step);
    }
    return results;
  }

  useInputs(inputs: StepProblem['samples']['inputs']): void {
    this.#inputs = inputsTensor({ ...this.#problem.samples, inputs });
  }

  async release(): Promise<void> {
    await Promise.all([this.#session.release(), this.#memory.release()]);
  }

  async #step(indices: Int32Array, done: number): Promise<void> {
    const { numbers, targets } = this.#problem;
    const { inputs, outputs } = this.#batch;
    gatherRows(this.#inputs, indices, inputs.x);
    gatherRows(targets, indices, inputs.targets);
    inputs.step.data[0] = BigInt(done);
    this.#memory.scalars.set(Object.values(numbers.at(done).scalars));
    await this.#session.run();
    await this.#memory.update();
    const loss = present(outputs.loss.data[0]);
    if (Number.isFinite(loss) && this.#memory.isFinite()) return;
    const first = findNonFinite(this.#copyState());
    // A learning rate beyond float32 turns the gaps between tensors into NaN (0 / 0) while the tensors are still
    // finite.
    if (first || !Number.isFinite(loss)) throw divergenceAfter(done, numbers, { loss, first });
  }

  #copyState(): State {
    return new Map(
      [...this.#initial].map(([name, tensor]) => {
        const { dtype, shape, data } = this.#memory.tensors.get(name) ?? tensor;
        return [name, { dtype, shape, data: data.slice() }] as const;
      }),
    );
  }
}
