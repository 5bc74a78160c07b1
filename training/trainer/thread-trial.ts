/**
 * Times steps, whose results are discarded, to find the way and the number of threads that are fastest on this machine.
 */
import { type Backend, foreignLoad } from '../backend/index.ts';
import { createRandom, type Dataset, epochBatches } from '../data/index.ts';
import type { Plan } from '../network/index.ts';
import type { TrainingConfig } from './config.ts';
import { TrainingRun } from './training-run.ts';
import type { StepRecord } from './choose-stepper.ts';

/** The duration of each turn. */
const turnMs = 30;
/** The duration of all turns together, which is also long enough to measure the load of other processes. */
const trialMs = 600;
/**
 * The number of cores that others may keep busy. Above it, threads wait for other processes instead of each other, and
 * their times say nothing.
 */
const maxLoad = 0.3;
/**
 * The share of a step's time that a later candidate has to save. If it saves less, the earlier one leaves more of the
 * machine to others.
 */
const minGain = 0.05;

interface Candidate {
  readonly record: StepRecord;
  readonly run: TrainingRun;
  /** The shortest time of a step so far, in milliseconds. */
  best: number;
}

/**
 * Returns the candidate with the shortest steps.
 *
 * @param records at least one, from few threads to many
 * @returns undefined where other processes use the machine, so that the times say nothing
 * @throws UserError where the network cannot be trained at all, or not with these settings
 */
export async function fastestSteps(
  plan: Plan,
  dataset: Dataset,
  config: TrainingConfig,
  records: readonly StepRecord[],
  backendWith: (record: StepRecord) => Backend,
): Promise<StepRecord | undefined> {
  const candidates: Candidate[] = [];
  const order = epochBatches(createRandom(config.seed), 1, dataset.count, config.batchSize);
  const load = foreignLoad();
  try {
    for (const record of records) {
      const run = await TrainingRun.start(plan, dataset, config, backendWith(record));
      const candidate = { record, run, best: Infinity };
      candidates.push(candidate);
      // The first step allocates memory for all later ones; the second shows how many fill a turn.
      for (let step = 0; step < 2; step++) {
        candidate.best = Infinity;
        await takeSteps(candidate, order, config.batchSize, 1);
      }
    }
    const end = performance.now() + trialMs;
    do for (const candidate of candidates) await takeTurn(candidate, order, config.batchSize);
    while (performance.now() < end);
  } finally {
    await Promise.all(candidates.map(({ run }) => run.release()));
  }
  if (load() > maxLoad) return undefined;
  return candidates.reduce((best, each) => (each.best < (1 - minGain) * best.best ? each : best)).record;
}

/** Takes as many steps as fill a turn in one call, as a run does, so that the time includes the cost of a call. */
async function takeTurn(candidate: Candidate, order: Int32Array, batchSize: number): Promise<void> {
  const steps = Math.floor(turnMs / candidate.best);
  await takeSteps(candidate, order, batchSize, Math.min(Math.max(steps, 1), order.length / batchSize));
}

async function takeSteps(candidate: Candidate, order: Int32Array, batchSize: number, steps: number): Promise<void> {
  const count = steps * batchSize;
  const from = (candidate.run.stepsDone * batchSize) % (order.length - count + 1);
  const start = performance.now();
  await candidate.run.steps(order.subarray(from, from + count));
  candidate.best = Math.min(candidate.best, (performance.now() - start) / steps);
}
