/** Runs a job with this project's own engine, through the same modules as `npm run train`. */
import { type Backend, nativeBackend } from '../../../training/backend/index.ts';
import { type ClassificationDataset, createRandom, epochBatches } from '../../../training/data/index.ts';
import { type Plan, planNetwork } from '../../../training/network/index.ts';
import {
  createEvaluator,
  describeSteps,
  stepRecord,
  stepsInDoubt,
  TrainingRun,
} from '../../../training/trainer/index.ts';
import type { Job } from './job.ts';
import { type BenchData, loadBenchData } from './datasets.ts';
import { reportJob, type Trainer } from './measure.ts';

/** The seconds of training with each candidate, as for PyTorch, after a short warm-up that does not count. */
const trialSeconds = 1;
const warmUpSeconds = 0.2;

async function createTrainer({ network, config, threads }: Job, { train, test }: BenchData): Promise<Trainer> {
  const plan = planNetwork(network);
  const backend = await fastestBackend(plan, { config, threads }, train);
  const run = await TrainingRun.start(plan, train, config, backend);
  const evaluator = await createEvaluator(backend, plan);
  const stepsPerEpoch = Math.floor(train.count / config.batchSize);
  let order: Int32Array = new Int32Array();
  return {
    engine: describeSteps(backend, stepRecord(plan, train, config, backend)),
    stepsPerEpoch,
    get stepsPerCall() {
      return run.stepsPerCall;
    },
    train: async (steps) => {
      if (order.length === 0) {
        const epoch = 1 + run.stepsDone / stepsPerEpoch;
        order = epochBatches(createRandom(config.seed), epoch, train.count, config.batchSize);
      }
      const call = order.subarray(0, steps * config.batchSize);
      order = order.subarray(call.length);
      return [...(await run.steps(call)).loss];
    },
    testAccuracy: async () => (test ? (await evaluator.evaluate(run.tensors, test)).score : NaN),
  };
}

/**
 * Chooses the fastest of one thread, all threads asleep or spinning between ops, and the compiled step on two threads.
 * PyTorch, whose threads spin, gets the same choice.
 */
async function fastestBackend(
  plan: Plan,
  { config, threads }: Pick<Job, 'config' | 'threads'>,
  train: ClassificationDataset,
): Promise<Backend> {
  const [alone, all, spinning] = [
    await nativeBackend({ threads: 1 }),
    await nativeBackend({ threads }),
    await nativeBackend({ threads, spinning: true }),
  ];
  const order = epochBatches(createRandom(config.seed), 1, train.count, config.batchSize);
  const mayCompile = stepsInDoubt(plan, train, config, all, threads).some(({ stepper }) => stepper === 'compiled');
  const trials: (readonly [samplesPerSecond: number, backend: Backend])[] = [];
  for (const backend of [alone, all, spinning, ...(mayCompile ? [{ ...all, stepper: 'compiled' } as const] : [])]) {
    const run = await TrainingRun.start(plan, train, config, backend);
    await trainFor(run, order, config.batchSize, warmUpSeconds);
    trials.push([await trainFor(run, order, config.batchSize, trialSeconds), backend]);
    await run.release();
  }
  return trials.reduce((best, trial) => (trial[0] > best[0] ? trial : best))[1];
}

/** @returns the samples per second */
async function trainFor(run: TrainingRun, order: Int32Array, batchSize: number, seconds: number): Promise<number> {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  let samples = 0;
  for (let from = 0; elapsed() < seconds; from = from < order.length ? from : 0) {
    const call = order.subarray(from, from + run.stepsPerCall * batchSize);
    await run.steps(call);
    from += call.length;
    samples += call.length;
  }
  return samples / elapsed();
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
await reportJob(await createTrainer(job, await loadBenchData(job.data, job.config.seed, job.dataCopies)), job);
