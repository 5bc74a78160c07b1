/** A training run in progress: the compiled program, the data set it reads, and the state carried from call to call. */
import type { Backend, NamedTensors, Session } from '../backend/index.ts';
import { type Dataset, createRandom, type Samples } from '../data/index.ts';
import type { Tensor } from '../graph/index.ts';
import { layerTensorsOf, outputShapeOf, type Plan, tensorsOf } from '../network/index.ts';
import { checkObjective, type Objective, objectiveRuleFor } from '../objective/index.ts';
import { rateFactor } from '../optimizer/index.ts';
import { stepOptions, type TrainingConfig } from './config.ts';
import { allFinite, divergenceError, findNonFinite } from './finite.ts';
import { initializeTensors, initializeUpdates } from './initialize.ts';
import { firstPace, nextPace } from './pace.ts';
import { nextName, trainingProgram } from './program.ts';
import { floatsOf } from './samples.ts';
import { averageName, carriedState, type State, tensorOf } from './state.ts';
import type { StepOptions } from './step.ts';
import { stepScalars } from './update.ts';

/** One number for each step. */
export interface StepResults {
  /** The objective's mean over the mini-batch before the update. */
  readonly loss: Float32Array;
  /** What the mini-batch adds to the objective's score: how many samples were classified correctly, say. */
  readonly score: Float32Array;
}

/** What a step needs of the ones before it. */
export interface Position {
  /** Of the network's tensors, the optimizer's slots and the averages. */
  readonly state: State;
  /** Taken so far. */
  readonly steps: number;
}

export class TrainingRun {
  readonly #plan: Plan;
  readonly #config: TrainingConfig;
  readonly #options: StepOptions;
  readonly #session: Session;
  /** The data set; the same for every call of an epoch. */
  #dataset: NamedTensors;
  readonly #samples: Samples;
  readonly #carried: readonly string[];
  readonly #stepsPerEpoch: number;
  #state: State;
  #stepsDone: number;
  #pace = firstPace;

  private constructor(plan: Plan, dataset: Dataset, config: TrainingConfig, session: Session, position: Position) {
    this.#plan = plan;
    this.#config = config;
    const options = stepOptions(config, dataset);
    this.#options = options;
    this.#session = session;
    this.#samples = dataset;
    this.#dataset = datasetTensors(dataset, options.objective);
    this.#carried = [...carriedState(plan, this.#options).keys()];
    this.#stepsPerEpoch = Math.floor(dataset.count / config.batchSize);
    this.#state = position.state;
    this.#stepsDone = position.steps;
  }

  /** @param tensors what to start from, in place of fresh weights and the data set's own μ, σ² */
  static async start(
    plan: Plan,
    dataset: Dataset,
    config: TrainingConfig,
    backend: Backend,
    tensors: State = freshTensors(plan, dataset, config),
  ): Promise<TrainingRun> {
    const updates = initializeUpdates(plan, tensors, stepOptions(config, dataset));
    return TrainingRun.resume(plan, dataset, config, backend, { state: new Map([...tensors, ...updates]), steps: 0 });
  }

  /** Goes on from where a run of the same network, data set and configuration stood. */
  static async resume(
    plan: Plan,
    dataset: Dataset,
    config: TrainingConfig,
    backend: Backend,
    position: Position,
  ): Promise<TrainingRun> {
    const options = stepOptions(config, dataset);
    checkObjective(options.objective, outputShapeOf(plan), dataset);
    const graph = trainingProgram(plan, {
      ...options,
      batchSize: config.batchSize,
      data: { count: dataset.count, dtype: dataset.inputs instanceof Uint8Array ? 'uint8' : 'float32' },
    });
    return new TrainingRun(plan, dataset, config, await backend.createSession(graph), position);
  }

  /** The network's tensors as they are now, or their averages where those are kept. */
  get tensors(): State {
    const averaged = this.#config.ema === undefined ? [] : layerTensorsOf(this.#plan);
    return new Map([
      ...tensorsOf(this.#plan).map(({ name }) => [name, tensorOf(this.#state, name)] as const),
      ...averaged.map(({ name }) => [name, tensorOf(this.#state, averageName(name))] as const),
    ]);
  }

  /** All that the next step depends on. */
  get state(): State {
    return this.#state;
  }

  get stepsDone(): number {
    return this.#stepsDone;
  }

  /** How many steps to ask for at once. */
  get stepsPerCall(): number {
    return this.#pace;
  }

  /**
   * Takes one step for each mini-batch of `order`, sample indices `[steps, batchSize]`.
   *
   * @throws UserError when a loss or anything in the state is no longer a finite number, naming step, layer and learning rate
   */
  async steps(order: Int32Array): Promise<StepResults> {
    const start = performance.now();
    const before: Position = { state: this.#state, steps: this.#stepsDone };
    const { state, steps, results } = await this.#advance(before, order);
    if (!allFinite(results.loss) || findNonFinite(state)) throw await this.#findDivergence(before, order);
    const count = steps - before.steps;
    this.#state = state;
    this.#stepsDone = steps;
    // The short call at the end of an epoch says little.
    if (count >= this.#pace) this.#pace = nextPace(count, performance.now() - start);
    return results;
  }

  /** From now on the steps see other inputs of the same samples. */
  useInputs(inputs: Dataset['inputs']): void {
    this.#dataset = { ...this.#dataset, inputs: inputsTensor({ ...this.#samples, inputs }) };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #advance({ state, steps }: Position, order: Int32Array): Promise<Position & { results: StepResults }> {
    const { batchSize } = this.#config;
    const count = order.length / batchSize;
    const results = await this.#session.run({
      ...this.#dataset,
      ...Object.fromEntries(state),
      steps: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) },
      first_step: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(steps)) },
      indices: { dtype: 'int32', shape: [count, batchSize], data: order },
      scalars: this.#scalars(steps, count),
    });
    const updated = this.#carried.map((name) => [name, results[nextName(name)] as Tensor<'float32'>] as const);
    return {
      state: new Map([...state, ...updated]),
      steps: steps + count,
      results: { loss: floatsOf(results, 'loss'), score: floatsOf(results, 'score') },
    };
  }

  /** Repeats the steps of a call that went wrong one by one: they give the same bits. */
  async #findDivergence(before: Position, order: Int32Array): Promise<Error> {
    const { batchSize } = this.#config;
    let position = before;
    for (let from = 0; from < order.length; from += batchSize) {
      const { results, ...after } = await this.#advance(position, order.subarray(from, from + batchSize));
      const [loss = NaN] = results.loss;
      const first = findNonFinite(after.state);
      if (first || !Number.isFinite(loss)) {
        const epoch = Math.floor(position.steps / this.#stepsPerEpoch) + 1;
        return divergenceError({ step: after.steps, epoch, learningRate: this.#rateAt(position.steps), loss, first });
      }
      position = after;
    }
    return new Error('internal: a call of many steps diverged, the same steps one by one did not');
  }

  /** The learning rate of the step after `done` others. */
  #rateAt(done: number): number {
    const { learningRate, schedule, warmUp, epochs, steps = epochs * this.#stepsPerEpoch } = this.#config;
    return learningRate * rateFactor(schedule, done / steps, warmUp);
  }

  /** The host's numbers for `count` steps after `done` others, `[count, S]`. */
  #scalars(done: number, count: number): Tensor {
    const rows = Array.from({ length: count }, (_, i) =>
      Object.values(stepScalars(this.#options, done + i + 1, this.#rateAt(done + i))),
    );
    return { dtype: 'float32', shape: [count, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat()) };
  }
}

const freshTensors = (plan: Plan, dataset: Dataset, { seed }: TrainingConfig): State =>
  initializeTensors(plan, createRandom(seed), dataset);

function datasetTensors(dataset: Dataset, objective: Objective): NamedTensors {
  return { inputs: inputsTensor(dataset), targets: objectiveRuleFor(objective, dataset).targetsOf(dataset) };
}

function inputsTensor({ inputs, inputShape, count }: Samples): Tensor {
  const shape = [count, ...inputShape];
  return inputs instanceof Uint8Array
    ? { dtype: 'uint8', shape, data: inputs }
    : { dtype: 'float32', shape, data: inputs };
}
