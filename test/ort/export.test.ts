import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportGraph } from '../../exporter/model/inference-graph.ts';
import { replaceFolder } from '../../exporter/store/replace-folder.ts';
import { compareOutputs } from '../../exporter/model/verify.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { readSafetensors, writeSafetensors } from '../../training/checkpoint/checkpoint.ts';
import { decodeModel, encodeModel } from '../../training/graph/index.ts';
import { loadModel, saveModel, type TrainedModel } from '../../training/checkpoint/model.ts';
import { batchNorm, dense, type Network, planNetwork, relu } from '../../training/network/index.ts';
import { mse, multiclass, objectiveRuleOf } from '../../training/objective/index.ts';
import { train } from '../../training/trainer/index.ts';
import { twoClouds } from './samples.ts';
import { verified } from './verified.ts';

const network: Network = {
  name: 'clouds',
  inputShape: [4],
  inputNormalization: 'feature',
  layers: [dense(8), batchNorm(), relu(), dense(2)],
};
const backend = await nativeBackend({ threads: 1 });
const data = { train: twoClouds(600, 4, 1), validation: twoClouds(200, 4, 2) };
const config = {
  epochs: 1,
  batchSize: 50,
  optimizer: 'adam',
  learningRate: 0.01,
  schedule: 'constant',
  bnMomentum: 0.7,
  seed: 1,
} as const;

let folder: string;
let model: TrainedModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  const plan = planNetwork(network);
  const { tensors, history, steps } = await train(plan, data, config, backend);
  const record = {
    data: { name: 'clouds', train: 600, validation: 200, test: 200 },
    config,
    engine: backend.engine,
    steps,
  };
  model = {
    plan,
    tensors,
    classes: data.train.classes,
    record: { ...record, history: history.map(({ epoch, train, validation }) => ({ epoch, train, validation })) },
  };
});
afterAll(() => rm(folder, { recursive: true }));

describe('a checkpoint', () => {
  it('gives the model back, and the same file twice', async () => {
    const [first, second] = ['a', 'b'].map((name) => join(folder, `${name}.safetensors`)) as [string, string];
    await saveModel(first, model);
    await saveModel(second, await loadModel(first));
    expect(await loadModel(second)).toEqual({ ...model, batches: model.record?.steps });
    expect(sha256(await readFile(second))).toBe(sha256(await readFile(first)));
  });

  it('counts the mini-batches that Batch Norm has tracked, as PyTorch does', async () => {
    const path = join(folder, 'tracked.safetensors');
    await saveModel(path, model);
    const { tensors } = await readSafetensors(path);
    expect(tensors.get('bn1.num_batches_tracked')).toEqual({ dtype: 'I64', shape: [], data: BigInt64Array.of(12n) });
  });

  it('without a description loads with the network named by the caller', async () => {
    const path = join(folder, 'foreign.safetensors');
    await saveModel(path, model);
    await writeSafetensors(path, (await readSafetensors(path)).tensors);
    await expect(loadModel(path)).rejects.toThrow(`${path}: expected a description of the network in the metadata`);
    expect((await loadModel(path, network)).tensors).toEqual(model.tensors);
  });

  it.each([
    ['lacks a tensor', 'fc1.weight', undefined, 'expected a tensor fc1.weight F32 [8, 4], got none'],
    [
      'has another shape',
      'bn1.bias',
      { dtype: 'F32', shape: [2], data: new Float32Array(2) },
      'expected a tensor bn1.bias F32 [8], got F32 [2]',
    ],
    [
      'has another type',
      'bn1.bias',
      { dtype: 'I32', shape: [8], data: new Int32Array(8) },
      'expected a tensor bn1.bias F32 [8], got I32 [8]',
    ],
    [
      'has one too many',
      'fc9.bias',
      { dtype: 'F32', shape: [1], data: new Float32Array(1) },
      'tensor "fc9.bias": expected the names of clouds, ',
    ],
  ] as const)('that %s is refused by name', async (_, name, tensor, message) => {
    const path = join(folder, 'misfit.safetensors');
    await saveModel(path, model);
    const { tensors, metadata } = await readSafetensors(path);
    const changed = new Map(tensors);
    if (tensor) changed.set(name, tensor);
    else changed.delete(name);
    await writeSafetensors(path, changed, metadata);
    await expect(loadModel(path)).rejects.toThrow(`${path}: ${message}`);
  });
});

describe('an exported model', () => {
  it('holds γ, β, the running statistics, ε and the momentum in a BatchNormalization node', () => {
    const { graph } = decodeModel(encodeModel(exportGraph(model, 'running')));
    const node = graph.nodes.find(({ op }) => op === 'BatchNormalization');
    expect(node?.attributes).toEqual({ epsilon: Math.fround(1e-5), momentum: Math.fround(0.7), training_mode: 0 });
    const stored = node?.inputs.slice(1).map((value) => value?.constant?.data);
    const names = ['bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var'];
    expect(stored).toEqual(names.map((name) => model.tensors.get(name)?.data));
    expect(graph.inputs.map(({ name, shape }) => [name, ...shape])).toEqual([['features', 'N', 4]]);
    expect(graph.outputs.map(({ name, shape }) => [name, ...shape])).toEqual([['logits', 'N', 2]]);
  });

  it('has a twin that differs in training_mode alone', () => {
    const [running, batch] = (['running', 'batch'] as const).map((statistics) => exportGraph(model, statistics).nodes);
    expect(batch?.map(({ op, name }) => [op, name])).toEqual(running?.map(({ op, name }) => [op, name]));
    expect(batch?.find(({ op }) => op === 'BatchNormalization')?.attributes).toMatchObject({ training_mode: 1 });
  });

  it('answers as the training graph does in inference mode', async () => {
    const file = encodeModel(exportGraph(model, 'running'));
    const { samples, largestDifference } = await verified(backend, model, file, data.validation);
    expect(samples).toBe(200);
    expect(largestDifference).toBeLessThanOrEqual(1e-5);
  });

  it('is refused when its statistics are not those of the checkpoint', async () => {
    const mean = model.tensors.get('bn1.running_mean');
    if (!mean) throw new Error('no running mean');
    const shifted = { ...mean, data: mean.data.map((value) => value + 0.01) };
    const other = { ...model, tensors: new Map([...model.tensors, ['bn1.running_mean', shifted]]) };
    const file = encodeModel(exportGraph(other, 'running'));
    await expect(verified(backend, model, file, data.validation)).rejects.toThrow(/^export: sample \d+: expected /);
  });
});

describe('the comparison of logits', () => {
  const { agreement } = objectiveRuleOf(multiclass());
  it.each([
    ['another class', [1, 2], [2, 1], 'export: sample 0: expected class 1, got class 0'],
    [
      'a difference above the tolerance',
      [1, 2],
      [1, 2.001],
      'export: sample 0: expected logits within 0.0001, got a difference of',
    ],
    ['not a number', [2, 1], [2, NaN], 'export: sample 0: expected class 0, got no class'],
    ['too few', [1, 2], [1], 'export: expected 2 numbers, got 1'],
  ])('refuses %s', (_, expected, got, message) => {
    expect(() => compareOutputs(Float32Array.from(expected), Float32Array.from(got), 1, agreement)).toThrow(message);
  });
});

describe('the comparison of numbers', () => {
  const compare = (got: readonly number[]) =>
    compareOutputs(Float32Array.of(1000, 1), Float32Array.from(got), 2, objectiveRuleOf(mse()).agreement);

  it('allows a difference in parts of the largest', () => {
    expect(compare([1000.0625, 1.0625])).toEqual({ samples: 2, largestDifference: 0.0625 });
    expect(() => compare([1000, 1.125])).toThrow('export: sample 1: expected a number within 0.1, got a difference of');
  });
});

describe('a model folder', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it('is replaced as a whole', async () => {
    await replaceFolder(folder, 'model', new Map([['old.onnx', bytes('old')]]));
    await replaceFolder(folder, 'model', new Map([['versions/1/new.onnx', bytes('new')]]));
    expect(await readdir(join(folder, 'model'), { recursive: true })).toEqual([
      'versions',
      'versions/1',
      'versions/1/new.onnx',
    ]);
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('stays as it was when the new one cannot be written', async () => {
    await replaceFolder(folder, 'kept', new Map([['model.onnx', bytes('old')]]));
    const impossible = new Map([
      ['model.onnx', bytes('new')],
      ['model.onnx/inside', bytes('new')],
    ]);
    await expect(replaceFolder(folder, 'kept', impossible)).rejects.toThrow(/kept: cannot write: /);
    expect(await readFile(join(folder, 'kept', 'model.onnx'), 'utf8')).toBe('old');
  });

  it('that is a file is reported in one line', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(replaceFolder(file, 'model', new Map())).rejects.toThrow(/file: cannot make/);
  });
});

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
