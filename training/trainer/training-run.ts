/**
 * Holds a training run in progress: its state, the stepper that advances it, and the number of steps to take at a time.
 */
import type { Backend } from '../backend/index.ts';
import { checkBatchSize, type Dataset, createRandom } from '../data/index.ts';
import { layerTensorsOf, outputShapeOf, type Plan, tensorsOf } from '../network/index.ts';
import { checkObjective } from '../objective/index.ts';
import { stepOptions, type TrainingConfig } from './config.ts';
import { initializeTensors, initializeUpdates } from './initialize.ts';
import { Pace } from './pace.ts';
import { averageName, type State, tensorOf } from './state.ts';
import type { StepNumbers } from './step-numbers.ts';
import { stepProblem } from './step-problem.ts';
import type { Stepper, StepResults } from './stepper.ts';
import { openStepper } from './choose-stepper.ts';

/** The point from which a run continues. */
export interface Position {
  /** The network's tensors, the optimizer's slots and the averages. */
  readonly state: State;
  /** Counts the steps taken so far. */
  readonly steps: number;
}

export class TrainingRun {
  readonly #plan: Plan;
  readonly #config: TrainingConfig;
  readonly #stepper: Stepper;
  readonly #numbers: StepNumbers;
  #stepsDone: number;
  readonly #pace: Pace;

  private constructor(plan: Plan, config: TrainingConfig, stepper: Stepper, numbers: StepNumbers, steps: number) {
    this.#plan = plan;
    this.#config = config;
    this.#stepper = stepper;
    this.#pace = new Pace(stepper.hasFreeCalls);
    this.#numbers = numbers;
    this.#stepsDone = steps;
  }

  /** @param tensors the initial tensors, in place of fresh weights and the data set's own μ, σ² */
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

  /** Resumes a run of the same network, data set and configuration. */
  static async resume(
    plan: Plan,
    dataset: Dataset,
    config: TrainingConfig,
    backend: Backend,
    { state, steps }: Position,
  ): Promise<TrainingRun> {
    checkBatchSize(dataset.count, config.batchSize);
    const { objective } = stepOptions(config, dataset);
    checkObjective(objective, outputShapeOf(plan), dataset);
    const problem = stepProblem(plan, dataset, config);
    const stepper = await openStepper(problem, backend, state);
    return new TrainingRun(plan, config, stepper, problem.numbers, steps);
  }

  /** The network's current tensors, or their averages where those are kept. */
  get tensors(): State {
    const { state } = this;
    const averaged = this.#config.ema === undefined ? [] : layerTensorsOf(this.#plan);
    return new Map([
      ...tensorsOf(this.#plan).map(({ name }) => [name, tensorOf(state, name)] as const),
      ...averaged.map(({ name }) => [name, tensorOf(state, averageName(name))] as const),
    ]);
  }

  /** All tensors that the next step depends on. */
  get state(): State {
    return this.#stepper.state;
  }

  get stepsDone(): number {
    return this.#stepsDone;
  }

  /** The number of steps to request at once. */
  get stepsPerCall(): number {
    return this.#pace.steps;
  }

  /**
   * Takes one step for each mini-batch of `order`, sample indices `[steps, batchSize]`.
   *
   * @throws UserError when a loss or any value of the state is no longer finite, naming step, layer and learning rate
   */
  async steps(order: Int32Array): Promise<StepResults> {
    const start = performance.now();
    const results = await this.#stepper.take(order, this.#stepsDone);
    const count = results.loss.length;
    this.#stepsDone += count;
    this.#pace.add({ steps: count, milliseconds: performance.now() - start });
    return results;
  }

  /**
   * From now on, keeps the schedule from lagging behind the clock.
   *
   * @param share returns the share of the time that will have passed after `done` steps
   */
  useClock(share: (done: number) => number): void {
    this.#numbers.useClock(share);
  }

  /** Replaces the inputs of the samples for all further steps. */
  useInputs(inputs: Dataset['inputs']): void {
    this.#stepper.useInputs(inputs);
  }

  release(): Promise<void> {
    return this.#stepper.release();
  }
}

const freshTensors = (plan: Plan, dataset: Dataset, { seed }: TrainingConfig): State =>
  initializeTensors(plan, createRandom(seed), dataset);
