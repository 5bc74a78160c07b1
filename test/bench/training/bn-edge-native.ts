/** Does a job with this project's own engine, through the doors that `npm run train` uses. */
import { nativeBackend } from '../../../training/backend/index.ts';
import {
  type ClassificationDataset,
  createRandom,
  epochBatches,
  loadMnist,
  type MnistSplits,
} from '../../../training/data/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { createEvaluator, TrainingRun } from '../../../training/trainer/index.ts';
import type { Job } from './job.ts';
import { reportJob, type Trainer } from './measure.ts';

/** As many as `train` gives a call. */
const stepsPerCall = 32;

/** Of each call in the trial of threads. */
const trialSteps = 16;

async function createTrainer({ network, config, threads }: Job, { train, test }: MnistSplits): Promise<Trainer> {
  const backend = await nativeBackend({ threads: await fastestThreads({ network, config, threads }, train) });
  const plan = planNetwork(network);
  const run = await TrainingRun.start(plan, train, config, backend);
  const evaluator = await createEvaluator(backend, plan);
  const stepsPerEpoch = Math.floor(train.count / config.batchSize);
  let order: Int32Array = new Int32Array();
  return {
    engine: backend.engine,
    stepsPerEpoch,
    stepsPerCall,
    train: async (steps) => {
      if (order.length === 0) {
        const epoch = 1 + run.stepsDone / stepsPerEpoch;
        order = epochBatches(createRandom(config.seed), epoch, train.count, config.batchSize);
      }
      const call = order.subarray(0, steps * config.batchSize);
      order = order.subarray(call.length);
      return [...(await run.steps(call)).loss];
    },
    testAccuracy: async () => (await evaluator.evaluate(run.tensors, test)).accuracy ?? NaN,
  };
}

/** The faster of one thread and all of them, in a short trial: the same choice that PyTorch is given. */
async function fastestThreads(
  { network, config, threads }: Pick<Job, 'network' | 'config' | 'threads'>,
  train: ClassificationDataset,
): Promise<number> {
  const order = epochBatches(createRandom(config.seed), 1, train.count, config.batchSize);
  const calls = [0, 1, 2].map((call) =>
    order.subarray(...[call, call + 1].map((n) => n * trialSteps * config.batchSize)),
  );
  const trials = new Map<number, number>();
  for (const candidate of new Set([1, threads])) {
    const backend = await nativeBackend({ threads: candidate });
    const run = await TrainingRun.start(planNetwork(network), train, config, backend);
    const times: number[] = [];
    for (const call of calls) {
      const start = performance.now();
      await run.steps(call);
      times.push(performance.now() - start);
    }
    await run.release();
    trials.set(candidate, Math.min(...times));
  }
  return [...trials].reduce((best, trial) => (trial[1] < best[1] ? trial : best))[0];
}

function repeated(dataset: ClassificationDataset, copies: number): ClassificationDataset {
  if (copies === 1) return dataset;
  const inputs = new Uint8Array(dataset.inputs.length * copies);
  const labels = new Int32Array(dataset.labels.length * copies);
  for (let copy = 0; copy < copies; copy++) {
    inputs.set(dataset.inputs, copy * dataset.inputs.length);
    labels.set(dataset.labels, copy * dataset.labels.length);
  }
  return { ...dataset, inputs, labels, count: dataset.count * copies };
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const data = await loadMnist({ seed: job.config.seed });
await reportJob(await createTrainer(job, { ...data, train: repeated(data.train, job.dataCopies) }), job);
