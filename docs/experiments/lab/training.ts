/** Trains with pauses, so that an experiment can look at the network in between and stop when it has seen enough. */
import {
  type ClassificationDataset,
  createRandom,
  divisorsOf,
  epochBatches,
  type InputStatistics,
} from '../../../training/data/index.ts';
import { type Network, type Plan, planNetwork } from '../../../training/network/index.ts';
import {
  DivergenceError,
  initializeTensors,
  type State,
  type TrainingConfig,
  TrainingRun,
} from '../../../training/trainer/index.ts';
import { firstOf, type Lab } from './lab.ts';
import { mean } from './statistics.ts';

/** The configuration of a run, counted in steps; an omitted setting has the default of the experiments. */
export type Settings = Pick<TrainingConfig, 'optimizer' | 'learningRate' | 'seed'> &
  Partial<Omit<TrainingConfig, 'epochs'>> & {
    readonly steps: number;
    /** The number of steps between two pauses. */
    readonly every?: number;
    /** The training data; the whole training set when omitted. */
    readonly train?: ClassificationDataset;
    /** The tensors to start from, in place of fresh weights. */
    readonly tensors?: State | undefined;
  };

export interface Pause {
  readonly step: number;
  /**
   * The mean over the mini-batches since the last pause. When the run has diverged, it ends, and the loss and all
   * tensors are NaN.
   */
  readonly loss: number;
  readonly tensors: State;
}

const common = { batchSize: 64, schedule: 'constant', bnMomentum: 0.9 } as const;

/** Returns the tensors of an untrained network, which normalizes its inputs by the training set's μ and σ. */
export function freshTensors(lab: Lab, plan: Plan, seed: number, train = lab.data.train): State {
  const { inputNormalization: per } = plan.network;
  const tensors = initializeTensors(plan, createRandom(seed), firstOf(train, 1));
  return per === 'none' || per === 'robust'
    ? tensors
    : withInputStatistics(plan, tensors, lab.inputStatistics(train, per));
}

/** Returns the tensors with another μ and σ for the inputs. Inputs that never change are ignored. */
export function withInputStatistics({ input }: Plan, tensors: State, { mean, deviation }: InputStatistics): State {
  if (!input) throw new Error('internal: expected a network that normalizes its inputs');
  const stored = (shape: readonly number[], data: Float64Array) =>
    ({ dtype: 'float32', shape, data: Float32Array.from(data) }) as const;
  return new Map([
    ...tensors,
    [input.center.name, stored(input.center.shape, mean)],
    [input.spread.name, stored(input.spread.shape, divisorsOf(deviation))],
  ]);
}

export async function* training(lab: Lab, network: Network, settings: Settings): AsyncGenerator<Pause> {
  const { steps, every = steps, train = lab.data.train, ...rest } = settings;
  const plan = planNetwork(network);
  const tensors = settings.tensors ?? freshTensors(lab, plan, settings.seed, train);
  const config = { ...common, ...rest, epochs: 1 };
  const run = await TrainingRun.start(plan, train, config, lab.backend, tensors);
  const order = orderOf(steps, train.count, config);
  for (let step = 0; step < steps; step += every) {
    const next = order.subarray(step * config.batchSize, Math.min(step + every, steps) * config.batchSize);
    const loss = await lossOf(run, next);
    if (loss === undefined) {
      yield { step: run.stepsDone, loss: NaN, tensors: noNumbers(run.tensors) };
      return;
    }
    yield { step: run.stepsDone, loss, tensors: run.tensors };
  }
}

/** Returns the mean loss over the steps, and undefined when they diverge. */
async function lossOf(run: TrainingRun, order: Int32Array): Promise<number | undefined> {
  try {
    return mean((await run.steps(order)).loss);
  } catch (error) {
    if (error instanceof DivergenceError) return undefined;
    throw error;
  }
}

/** Returns the tensors of a network that has diverged. */
const noNumbers = (tensors: State): State =>
  new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, data: tensor.data.map(() => NaN) }]));

/** Returns the network's tensors after all steps. */
export async function trained(lab: Lab, network: Network, settings: Omit<Settings, 'every'>): Promise<State> {
  for await (const { tensors } of training(lab, network, settings)) return tensors;
  throw new Error('internal: no steps');
}

/** Returns the mini-batches of as many epochs as the steps need. */
function orderOf(
  steps: number,
  count: number,
  { seed, batchSize }: Pick<TrainingConfig, 'seed' | 'batchSize'>,
): Int32Array {
  const order = new Int32Array(steps * batchSize);
  const random = createRandom(seed);
  for (let filled = 0, epoch = 1; filled < order.length; epoch++) {
    const more = epochBatches(random, epoch, count, batchSize).subarray(0, order.length - filled);
    order.set(more, filled);
    filled += more.length;
  }
  return order;
}
