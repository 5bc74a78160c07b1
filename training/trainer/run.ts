/** A training run in progress: the compiled program, the data set it reads, and the state carried from call to call. */
import type { Backend, NamedTensors, Session } from '../backend/index.ts';
import { type ClassificationDataset, createRandom, inputStatistics } from '../data/index.ts';
import { type Tensor } from '../graph/index.ts';
import { floatsOf } from './evaluate.ts';
import { initializeSlots, initializeTensors, type State } from './initialize.ts';
import { type Plan, tensorsOf } from '../network/index.ts';
import { type Optimizer, type OptimizerName, optimizers, type ScheduleName, schedules } from '../optimizer/index.ts';
import { carriedState, nextName, trainingProgram } from './program.ts';

export interface TrainingConfig {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  /** The share of the old running statistics kept at every step. */
  readonly bnMomentum: number;
  readonly seed: number;
}

/** One number for each step. */
export interface StepResults {
  /** The mini-batch's mean cross-entropy before the update. */
  readonly loss: Float32Array;
  /** How many of the mini-batch's samples were classified correctly. */
  readonly correct: Float32Array;
}

export class TrainingRun {
  readonly #plan: Plan;
  readonly #config: TrainingConfig;
  readonly #optimizer: Optimizer;
  readonly #session: Session;
  /** The data set; the same for every call. */
  readonly #dataset: NamedTensors;
  readonly #carried: readonly string[];
  readonly #totalSteps: number;
  #state: State;
  #stepsDone = 0;

  private constructor(plan: Plan, dataset: ClassificationDataset, config: TrainingConfig, session: Session) {
    this.#plan = plan;
    this.#config = config;
    this.#optimizer = optimizers[config.optimizer]();
    this.#session = session;
    this.#dataset = datasetTensors(dataset);
    this.#carried = [...carriedState(plan, this.#optimizer).keys()];
    this.#totalSteps = config.epochs * Math.floor(dataset.count / config.batchSize);
    const statistics = inputStatistics(dataset, plan.network.inputNormalization);
    this.#state = new Map([
      ...initializeTensors(plan, createRandom(config.seed), statistics),
      ...initializeSlots(plan, this.#optimizer),
    ]);
  }

  static async start(
    plan: Plan,
    dataset: ClassificationDataset,
    config: TrainingConfig,
    backend: Backend,
  ): Promise<TrainingRun> {
    const graph = trainingProgram(plan, {
      optimizer: optimizers[config.optimizer](),
      bnMomentum: config.bnMomentum,
      seed: config.seed,
      batchSize: config.batchSize,
      data: { count: dataset.count, dtype: dataset.inputs instanceof Uint8Array ? 'uint8' : 'float32' },
    });
    return new TrainingRun(plan, dataset, config, await backend.createSession(graph));
  }

  /** The network's tensors as they are now. */
  get tensors(): State {
    return new Map(tensorsOf(this.#plan).map(({ name }) => [name, this.#tensor(name)]));
  }

  get stepsDone(): number {
    return this.#stepsDone;
  }

  /** Takes one step for each mini-batch of `order`, sample indices `[steps, batchSize]`. */
  async steps(order: Int32Array): Promise<StepResults> {
    const { batchSize } = this.#config;
    const count = order.length / batchSize;
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
    return { loss: floatsOf(results, 'loss'), correct: floatsOf(results, 'correct') };
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  #tensor(name: string): Tensor<'float32'> {
    const tensor = this.#state.get(name);
    if (!tensor) throw new Error(`internal: ${name} is not in the state`);
    return tensor;
  }

  /** The optimizer's numbers for the next `count` steps, `[count, S]`. */
  #scalars(count: number): Tensor {
    const { learningRate, schedule } = this.#config;
    const rows = Array.from({ length: count }, (_, i) => {
      const done = this.#stepsDone + i;
      return this.#optimizer.scalars(done + 1, learningRate * schedules[schedule](done / this.#totalSteps));
    });
    return { dtype: 'float32', shape: [count, rows[0]?.length ?? 0], data: Float32Array.from(rows.flat()) };
  }
}

function datasetTensors({ inputs, inputShape, labels, count }: ClassificationDataset): NamedTensors {
  const shape = [count, ...inputShape];
  return {
    inputs:
      inputs instanceof Uint8Array
        ? { dtype: 'uint8', shape, data: inputs }
        : { dtype: 'float32', shape, data: inputs },
    labels: { dtype: 'int32', shape: [count], data: labels },
  };
}
