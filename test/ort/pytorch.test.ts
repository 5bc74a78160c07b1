/** A state dict that PyTorch wrote (see `test/fixtures/pytorch/make.py`) gives PyTorch's logits here. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import {
  readSafetensors,
  type Tensor as StoredTensor,
  writeSafetensors,
} from '../../training/checkpoint/checkpoint.ts';
import { trainToFolder } from '../../training/run/index.ts';
import { readNpz } from '../../training/data/index.ts';
import { loadModel } from '../../training/checkpoint/model.ts';
import { batchNorm, conv2d, dense, flatten, maxPool, type Network, relu } from '../../training/network/index.ts';
import { createEvaluator } from '../../training/trainer/index.ts';

const stateDict = 'test/fixtures/pytorch/state-dict.safetensors';
const answers = 'test/fixtures/pytorch/answers.npz';
const network: Network = {
  name: 'torch',
  inputShape: [3, 8, 8],
  inputNormalization: 'channel',
  layers: [
    conv2d(8, { kernel: 3, padding: 1 }),
    batchNorm(),
    relu(),
    maxPool(2),
    conv2d(12, { kernel: 3, stride: 2, groups: 4 }),
    batchNorm(),
    relu(),
    flatten(),
    dense(16),
    batchNorm(),
    relu(),
    dense(4),
  ],
};
const backend = await nativeBackend({ threads: 1 });
const [x, logits] = (await readNpz(answers, ['x', 'logits'])).map(({ data }) =>
  Float32Array.from(data as Float32Array),
);
if (!x || !logits) throw new Error('no fixture');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

function expectLogits(actual: Float32Array): void {
  expect(actual).toHaveLength(logits?.length ?? NaN);
  actual.forEach((value, i) => {
    const expected = logits?.[i] ?? NaN;
    const error = Math.abs(value - expected);
    expect(error, `[${i}]: expected ${expected}, got ${value}, error ${error}`).toBeLessThanOrEqual(1e-5);
  });
}

describe("PyTorch's state dict", () => {
  it('gives its logits in the training graph', async () => {
    const { plan, tensors } = await loadModel(stateDict, network);
    const evaluator = await createEvaluator(backend, plan);
    expectLogits(await evaluator.logits(tensors, { inputs: x, inputShape: network.inputShape, count: 32 }));
    await evaluator.release();
  });

  it('gives its logits in the exported file, which has the biases that PyTorch puts before Batch Norm in its means', async () => {
    const options = { checkpoint: stateDict, name: 'torch', models: folder, statistics: 'running', network } as const;
    const card = await exportModel({ ...options, data: { path: answers, testShare: 0.5 } }, backend);
    expect(card.verification.samples).toBe(16);
    expect(card.labels).toEqual(['0', '1', '2', '3']);
    expect(card.scores?.test.running).toBe(1);
    const session = await InferenceSession.create(join(folder, 'torch', 'model.onnx'));
    const results = await session.run({ pixels: new Tensor('float32', x, [32, 3, 8, 8]) });
    expectLogits(results['logits']?.data as Float32Array);
    const { tensors } = await loadModel(stateDict, network);
    expect(tensors.has('conv1.bias')).toBe(false);
  });

  it('takes statistics of raw inputs beside it', async () => {
    const path = join(folder, 'raw.safetensors');
    const { tensors } = await readSafetensors(stateDict);
    const ofChannels = (value: number) =>
      ({ dtype: 'F32', shape: [3, 1, 1], data: new Float32Array(3).fill(value) }) as const;
    await writeSafetensors(path, new Map([...tensors, ['input.mean', ofChannels(10)], ['input.std', ofChannels(2)]]));
    const { plan, tensors: loaded } = await loadModel(path, network);
    const evaluator = await createEvaluator(backend, plan);
    const raw = x.map((value) => 2 * value + 10);
    const got = await evaluator.logits(loaded, { inputs: raw, inputShape: network.inputShape, count: 32 });
    await evaluator.release();
    got.forEach((value, i) => {
      expect(value, `[${i}]`).toBeCloseTo(logits[i] ?? NaN, 3);
    });
  });

  const positions: Readonly<Record<string, string>> = {
    conv1: '0',
    bn1: '1',
    conv2: '4',
    bn2: '5',
    fc1: '8',
    bn3: '9',
    fc2: '11',
  };
  const asDouble = (tensor: StoredTensor): StoredTensor =>
    tensor.dtype === 'F32' ? { ...tensor, dtype: 'F64', data: Float64Array.from(tensor.data) } : tensor;
  const byPosition = (name: string) => name.replace(/^\w+/, (layer) => positions[layer] ?? layer);

  it.each<[string, (name: string) => string, (tensor: StoredTensor) => StoredTensor]>([
    ['of a module under DistributedDataParallel', (name) => `module.${name}`, (tensor) => tensor],
    ['of a compiled module', (name) => `_orig_mod.${name}`, (tensor) => tensor],
    ['of a Sequential', byPosition, (tensor) => tensor],
    ['of a Sequential inside a compiled module', (name) => `_orig_mod.net.${byPosition(name)}`, (tensor) => tensor],
    ['of double precision, with a bias before Batch Norm', (name) => name, asDouble],
  ])('gives its logits when it is the state dict %s', async (_, rename, convert) => {
    const path = join(folder, 'renamed.safetensors');
    const { tensors } = await readSafetensors(stateDict);
    await writeSafetensors(path, new Map([...tensors].map(([name, tensor]) => [rename(name), convert(tensor)])));
    const loaded = await loadModel(path, network);
    const evaluator = await createEvaluator(backend, loaded.plan);
    expectLogits(await evaluator.logits(loaded.tensors, { inputs: x, inputShape: network.inputShape, count: 32 }));
    await evaluator.release();
  });

  it.each([
    ['F16', [0x3c00, 0xc000, 0x3555, 0x0001], [1, -2, 0.333251953125, 2 ** -24]],
    ['BF16', [0x3f80, 0xc000, 0x3eab, 0x0080], [1, -2, 0.333984375, 2 ** -126]],
  ] as const)('may hold %s', async (dtype, bits, values) => {
    const path = join(folder, 'half.safetensors');
    const { tensors } = await readSafetensors(stateDict);
    const half: StoredTensor = { dtype, shape: [4], data: Uint16Array.from(bits) };
    await writeSafetensors(path, new Map([...tensors, ['fc2.bias', half]]));
    const { tensors: loaded } = await loadModel(path, network);
    expect([...(loaded.get('fc2.bias')?.data ?? [])]).toEqual(values);
  });

  it('under other names is refused with ours', async () => {
    const path = join(folder, 'other.safetensors');
    const { tensors } = await readSafetensors(stateDict);
    await writeSafetensors(path, new Map([...tensors].map(([name, tensor]) => [`encoder.${name}`, tensor])));
    await expect(loadModel(path, network)).rejects.toThrow(
      'tensor "encoder.bn1.bias": expected the names of torch, conv1.weight, bn1.weight, bn1.bias, …, got another',
    );
  });

  it('can be trained further', async () => {
    const file = join(folder, 'torch.ts');
    await writeFile(file, `export default ${JSON.stringify(network)};\n`);
    const config = { optimizer: 'adam', learningRate: 0.001, schedule: 'constant', bnMomentum: 0.9, seed: 1 } as const;
    const run = {
      network: file,
      from: stateDict,
      backend: 'native',
      threads: 1,
      out: join(folder, 'further'),
    } as const;
    const options = { ...run, config: { ...config, epochs: 1, batchSize: 8 }, data: { path: answers } };
    const { record, plan } = await loadModel((await trainToFolder(options)).checkpoint);
    expect(plan.network.inputNormalization).toBe('none');
    expect(record?.history[0]?.train.score).toBeGreaterThan(0.8);
  });
});

it('gives the logits of a network that two processes have trained, from the state dict of their DistributedDataParallel', async () => {
  const table: Network = {
    name: 'table',
    inputShape: [5],
    inputNormalization: 'none',
    layers: [dense(16), batchNorm(), relu(), dense(2)],
  };
  const { tensors: known } = await readSafetensors('test/fixtures/pytorch/ddp-answers.safetensors');
  const [inputs, expected] = ['x', 'logits'].map((name) => Float32Array.from(known.get(name)?.data as Float32Array));
  const { plan, tensors } = await loadModel('test/fixtures/pytorch/ddp.safetensors', table);
  const evaluator = await createEvaluator(backend, plan);
  const got = await evaluator.logits(tensors, { inputs: inputs ?? new Float32Array(), inputShape: [5], count: 32 });
  await evaluator.release();
  expect(got).toHaveLength(expected?.length ?? NaN);
  got.forEach((value, i) => {
    expect(value, `[${i}]: expected ${expected?.[i]}, got ${value}`).toBeCloseTo(expected?.[i] ?? NaN, 5);
  });
});

it('a mean of all mini-batches goes on from those that the file has counted, and counts its own', async () => {
  const counted = join(folder, 'counted.safetensors');
  const uncounted = join(folder, 'uncounted.safetensors');
  const { tensors } = await readSafetensors(stateDict);
  const withCount = (count: bigint) =>
    new Map(
      [...tensors].map(([name, tensor]) =>
        name.endsWith('num_batches_tracked') ? [name, { ...tensor, data: BigInt64Array.of(count) }] : [name, tensor],
      ) as [string, StoredTensor][],
    );
  await writeSafetensors(counted, withCount(6n));
  await writeSafetensors(uncounted, withCount(0n));
  const file = join(folder, 'network.json');
  await writeFile(file, JSON.stringify(network));
  const train = async (from: string) => {
    const out = join(folder, `from-${basename(from)}`);
    const { checkpoint } = await trainToFolder({
      network: file,
      from,
      // The steps are too small to move a parameter, so the mini-batches' statistics do not depend on earlier steps.
      config: { optimizer: 'sgd', learningRate: 1e-30, schedule: 'constant', bnMomentum: 'none', epochs: 1, batchSize: 8, keep: 'last', seed: 1 },
      data: { path: answers, inputs: 'x', label: 'y', testShare: 0.25, validationShare: 0 },
      backend: 'native',
      threads: 1,
      out,
    }); // oxfmt-ignore
    return (await readSafetensors(checkpoint)).tensors;
  };
  const [after, alone] = [await train(counted), await train(uncounted)];
  const steps = Number(alone.get('bn1.num_batches_tracked')?.data[0]);
  expect(steps).toBeGreaterThan(1);
  expect(Number(after.get('bn1.num_batches_tracked')?.data[0])).toBe(6 + steps);
  const floats = (from: ReadonlyMap<string, StoredTensor>) => [
    ...((from.get('bn1.running_var')?.data ?? []) as Float32Array),
  ];
  floats(after).forEach((value, channel) => {
    const [before = NaN, own = NaN] = [floats(tensors)[channel], floats(alone)[channel]];
    const expected = (6 * before + steps * own) / (6 + steps);
    expect(Math.abs(value / expected - 1), `channel ${channel}: expected ${expected}, got ${value}`).toBeLessThan(1e-5);
  });
});
