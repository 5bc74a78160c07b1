/** A training run in progress: the compiled program, the data set it reads, and the state carried from call to call. */
import type { Backend, NamedTensors, Session } from '../backend/index.ts';
import { type Dataset, createRandom } from '../data/index.ts';
import { type Tensor } from '../graph/index.ts';
import { floatsOf } from './evaluate.ts';
import { initializeTensors, initializeUpdates, type State, tensorOf } from './initialize.ts';
import { layerTensorsOf, outputShapeOf, type Plan, tensorsOf } from '../network/index.ts';
import { checkObjective, objectiveFor } from '../objective/index.ts';
import {
  type Optimizer,
  type OptimizerName,
  optimizers,
  type OptimizerSettings,
  rateFactor,
  type ScheduleName,
} from '../optimizer/index.ts';
import { firstPace, nextPace } from './pace.ts';
import { carriedState, nextName, trainingProgram } from './program.ts';
import type { StepOptions } from './step.ts';
import { averageName, stepScalars } from './update.ts';

/** All that decides how a run goes, beside the network, the data and the engine. */
export interface TrainingConfig extends Omit<StepOptions, 'optimizer'> {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
  /** The share of the velocity kept by the optimizers that have one; 0.9 when omitted. */
  readonly momentum?: number | undefined;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** The share of all steps in which the learning rate rises; the schedule's own when omitted. */
  readonly warmUp?: number | undefined;
  /** Of the trained network: the running averages, or those of a pass over the training set. */
  readonly statistics?: 'running' | 'population' | undefined;
}

/** One number for each step. */
export interface StepResults {
  /** The objective's mean over the mini-batch before the update. */
  readonly loss: Float32Array;
  /** How many of the mini-batch's samples were classified correctly, or the sum of their squared errors. */
  readonly score: Float32Array;
}

export class TrainingRun {
  readonly #plan: Plan;
  readonly #config: TrainingConfig;
  readonly #options: StepOptions;
  readonly #session: Session;
  /** The data set; the same for every call. */
  readonly #dataset: NamedTensors;
  readonly #carried: readonly string[];
  readonly #totalSteps: number;
  #state: State;
  #stepsDone = 0;
  #pace = firstPace;

  private constructor(plan: Plan, dataset: Dataset, config: TrainingConfig, session: Session, tensors: State) {
    this.#plan = plan;
    this.#config = config;
    this.#options = stepOptions(config, dataset);
    this.#session = session;
    this.#dataset = datasetTensors(dataset);
    this.#carried = [...carriedState(plan, this.#options).keys()];
    this.#totalSteps = config.epochs * Math.floor(dataset.count / config.batchSize);
    this.#state = new Map([...tensors, ...initializeUpdates(plan, tensors, this.#options)]);
  }

  /** @param tensors what to start from, in place of fresh weights and the data set's own μ, σ² */
  static async start(
    plan: Plan,
    dataset: Dataset,
    config: TrainingConfig,
    backend: Backend,
    tensors: State = freshTensors(plan, dataset, config),
  ): Promise<TrainingRun> {
    const options = stepOptions(config, dataset);
    checkObjective(
      options.objective,
      outputShapeOf(plan),
      dataset.task === 'classification' ? dataset.classes.length : 0,
    );
    const graph = trainingProgram(plan, {
      ...options,
      batchSize: config.batchSize,
      data: { count: dataset.count, dtype: dataset.inputs instanceof Uint8Array ? 'uint8' : 'float32' },
    });
    return new TrainingRun(plan, dataset, config, await backend.createSession(graph), tensors);
  }

  /** The network's tensors as they are now, or their averages where those are kept. */
  get tensors(): State {
    const averaged = this.#config.ema === undefined ? [] : layerTensorsOf(this.#plan);
    return new Map([
      ...tensorsOf(this.#plan).map(({ name }) => [name, tensorOf(this.#state, name)] as const),
      ...averaged.map(({ name }) => [name, tensorOf(this.#state, averageName(name))] as const),
    ]);
  }

  get stepsDone(): number {
    return this.#stepsDone;
  }

  /** How many steps to ask for at once. */
  get stepsPerCall(): number {
    return this.#pace;
  }

  /** Takes one step for each mini-batch of `order`, sample indices `[steps, batchSize]`. */
  async steps(order: Int32Array): Promise<StepResults> {
    const { batchSize } = this.#config;
    const count = order.length / batchSize;
    const start = performance.now();
    const results = await this.#session.run({
      ...this.#dataset,
      ...Object.fromEntries(this.#state),
      steps: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(count)) },
      first_step: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(this.#stepsDone)) },
      indices: { dtype: 'int32', shape: [count, batchSize], data: order },
      scalars: this.#scalars(count),
    });
    const updated = this.#carried.map((name) => [name, results[nextName(name)] as Tensor<'float32'>] as const);
    this.#state = new Map([...this.#state, ...updated]);
    this.#stepsDone += count;
    // The short call at the end of an epoch says little.
    if (count >= this.#pace) this.#pace = nextPace(count, performance.now() - start);
    return { loss: floatsOf(results, 'loss'), score: floatsOf(results, 'score') };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  /** The host's numbers for the next `count` steps, `[count, S]`. */
  #scalars(count: number): Tensor {
    const { learningRate, schedule, warmUp } = this.#config;
    const rows = Array.from({ length: count }, (_, i) => {
      const done = this.#stepsDone + i;
      const rate = learningRate * rateFactor(schedule, done / this.#totalSteps, warmUp);
      return Object.values(stepScalars(this.#options, done + 1, rate));
    });
    return { dtype: 'float32', shape: [count, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat()) };
  }
}

function stepOptions({ optimizer, momentum = 0.9, ...config }: TrainingConfig, dataset: Dataset) {
  const create: (settings: OptimizerSettings) => Optimizer = optimizers[optimizer];
  return { ...config, objective: config.objective ?? objectiveFor(dataset), optimizer: create({ momentum }) };
}

const freshTensors = (plan: Plan, dataset: Dataset, { seed }: TrainingConfig): State =>
  initializeTensors(plan, createRandom(seed), dataset);

function datasetTensors(dataset: Dataset): NamedTensors {
  const { inputs, inputShape, count } = dataset;
  const shape = [count, ...inputShape];
  return {
    inputs:
      inputs instanceof Uint8Array
        ? { dtype: 'uint8', shape, data: inputs }
        : { dtype: 'float32', shape, data: inputs },
    targets:
      dataset.task === 'classification'
        ? { dtype: 'int32', shape: [count], data: dataset.labels }
        : { dtype: 'float32', shape: [count], data: dataset.values },
  };
}
