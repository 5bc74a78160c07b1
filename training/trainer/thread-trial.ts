/** Steps that are timed and thrown away, to see how many threads take them fastest on this machine. */
import { type Backend, foreignLoad } from '../backend/index.ts';
import { createRandom, type Dataset, epochBatches } from '../data/index.ts';
import type { Plan } from '../network/index.ts';
import type { TrainingConfig } from './config.ts';
import { TrainingRun } from './run.ts';

/** In milliseconds: of each turn, and of all together, which is also as long as it takes to see what others do. */
const turn = 20;
const trial = 600;
/** Cores that others keep busy: beyond, threads wait for these and not for each other, and their times say nothing. */
const mostLoad = 0.3;
/** Of a step's time: with less to gain fewer threads leave the machine to others. */
const leastGain = 0.05;

interface Candidate {
  readonly threads: number;
  readonly run: TrainingRun;
  /** The shortest time of a step so far, in milliseconds. */
  best: number;
}

/**
 * @param threads at least one number, from few to many
 * @returns undefined where others use the machine, so that nothing can be said
 * @throws UserError where the network cannot be trained at all, or not with these settings
 */
export async function fastestThreads(
  plan: Plan,
  dataset: Dataset,
  config: TrainingConfig,
  threads: readonly number[],
  backendWith: (threads: number) => Backend,
): Promise<number | undefined> {
  const candidates: Candidate[] = [];
  const order = epochBatches(createRandom(config.seed), 1, dataset.count, config.batchSize);
  const load = foreignLoad();
  try {
    for (const each of threads) {
      const run = await TrainingRun.start(plan, dataset, config, backendWith(each));
      const candidate = { threads: each, run, best: Infinity };
      candidates.push(candidate);
      // The first step makes room for all that is to come.
      await takeStep(candidate, order, config.batchSize);
      candidate.best = Infinity;
    }
    const end = performance.now() + trial;
    do for (const candidate of candidates) await takeTurn(candidate, order, config.batchSize);
    while (performance.now() < end);
  } finally {
    await Promise.all(candidates.map(({ run }) => run.release()));
  }
  if (load() > mostLoad) return undefined;
  return candidates.reduce((best, each) => (each.best < (1 - leastGain) * best.best ? each : best)).threads;
}

async function takeTurn(candidate: Candidate, order: Int32Array, batchSize: number): Promise<void> {
  const end = performance.now() + turn;
  do await takeStep(candidate, order, batchSize);
  while (performance.now() < end);
}

async function takeStep(candidate: Candidate, order: Int32Array, batchSize: number): Promise<void> {
  const from = (candidate.run.stepsDone * batchSize) % (order.length - batchSize + 1);
  const start = performance.now();
  await candidate.run.steps(order.subarray(from, from + batchSize));
  candidate.best = Math.min(candidate.best, performance.now() - start);
}
