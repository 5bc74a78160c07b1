/**
 * A job in full, for engines that cannot read this project's data themselves: one safetensors file with the very samples,
 * order of samples and initial tensors that this project's engine would use.
 *
 *   train.inputs U8 [N, ..], train.labels I32 [N], test.inputs, test.labels
 *   order I32 [E, N]          sample indices of the first epochs; steps beyond start again
 *   conv1.weight F32 …        the network's tensors by their names, input.mean and input.std among them
 *   input.var F32 …           σ², of which the peers take √(σ² + 1e-5)
 *
 * Rows of a table are there as the first layer takes them, in F32: normalized, and with a place for each category. So peers have
 * nothing to do in each step that they could do once, and there are no statistics of inputs.
 */
import { writeSafetensors, type Tensor } from '../../../training/checkpoint/checkpoint.ts';
import { nativeBackend } from '../../../training/backend/index.ts';
import { type ClassificationDataset, createRandom, epochBatches, type Samples } from '../../../training/data/index.ts';
import { graphBuilder } from '../../../training/graph/index.ts';
import { dataTensorsOf, emitForward, type Network, planNetwork } from '../../../training/network/index.ts';
import { runOverSamples, type State, TrainingRun } from '../../../training/trainer/index.ts';
import { loadBenchData } from './datasets.ts';
import type { Job } from './job.ts';

const epochsOfOrder = 3;

export async function writeProblem(path: string, job: Job): Promise<void> {
  const { train, test } = await loadBenchData(job.data, job.config.seed);
  const state = await initialTensors(job, train);
  const tensors = new Map<string, Tensor>([
    ...(await datasetTensors('train', train, job.network, state)),
    ...(test ? await datasetTensors('test', test, job.network, state) : []),
    ['order', orderOf(job, train)],
  ]);
  for (const [name, { shape, data }] of state) {
    if (!isPicture(train) && name.startsWith('input.')) continue;
    tensors.set(name, { dtype: 'F32', shape, data });
    if (name === 'input.std') tensors.set('input.var', { dtype: 'F32', shape, data: data.map((sigma) => sigma ** 2) });
  }
  await writeSafetensors(path, tensors);
}

const isPicture = ({ inputs }: Samples): boolean => inputs instanceof Uint8Array;

async function datasetTensors(
  part: string,
  dataset: ClassificationDataset,
  network: Network,
  state: State,
): Promise<[string, Tensor][]> {
  const { inputs, inputShape, labels, count } = dataset;
  const asTensor = async (): Promise<Tensor> => {
    if (inputs instanceof Uint8Array) return { dtype: 'U8', shape: [count, ...inputShape], data: inputs };
    const data = await encoded(dataset, network, state);
    return { dtype: 'F32', shape: [count, data.length / count], data };
  };
  return [
    [`${part}.inputs`, await asTensor()],
    [`${part}.labels`, { dtype: 'I32', shape: [count], data: labels }],
  ];
}

/** Computes the input of the first layer for each row. */
async function encoded(samples: Samples, network: Network, state: State): Promise<Float32Array> {
  const g = graphBuilder();
  const plan = planNetwork({ ...network, layers: [] });
  const tensors = dataTensorsOf(plan).map(({ name, shape }) => {
    const data = state.get(name)?.data;
    if (!data) throw new Error(`internal: the state has no ${name}`);
    return [name, g.initializer(name, { dtype: 'float32', shape, data })] as const;
  });
  const x = g.input('x', { dtype: 'float32', shape: ['N', ...samples.inputShape] });
  const { output } = emitForward(g, plan, x, { mode: 'inference', tensors: new Map(tensors) });
  const session = await (await nativeBackend()).createSession(g.build('inputs', { output }));
  try {
    return await runOverSamples(session, samples, { input: 'x', output: 'output' });
  } finally {
    await session.release();
  }
}

function orderOf({ config: { seed, epochs } }: Job, { count }: Samples): Tensor {
  const rows = Math.min(epochs, epochsOfOrder);
  const data = new Int32Array(rows * count);
  for (let row = 0; row < rows; row++) data.set(epochBatches(createRandom(seed), row + 1, count, 1), row * count);
  return { dtype: 'I32', shape: [rows, count], data };
}

async function initialTensors({ network, config }: Job, train: ClassificationDataset): Promise<State> {
  const run = await TrainingRun.start(planNetwork(network), train, config, await nativeBackend());
  await run.release();
  return run.tensors;
}
