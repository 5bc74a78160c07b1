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

async function createTrainer({ network, config, threads }: Job, { train, test }: MnistSplits): Promise<Trainer> {
  const backend = await nativeBackend({ threads });
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
