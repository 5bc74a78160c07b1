/** A checkpoint's metadata are read as they were written, also by earlier versions, or refused by the wrong key. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadModel,
  readSafetensors,
  saveModel,
  type TrainedModel,
  writeSafetensors,
} from '../../training/checkpoint/index.ts';
import { elementCount } from '../../training/arrays/index.ts';
import { UserError } from '../../training/files/index.ts';
import { plainPreparation } from '../../training/pictures/index.ts';
import { batchNorm, conv2d, dense, flatten, planNetwork, tensorsOf } from '../../training/network/index.ts';

const plan = planNetwork({
  name: 'small',
  inputShape: [1, 3, 3],
  inputNormalization: 'channel',
  layers: [conv2d(2, { kernel: 2 }), batchNorm(), flatten(), dense(2)],
});
const tensors = new Map(
  tensorsOf(plan).map(({ name, shape }) => [
    name,
    { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) } as const,
  ]),
);
const record = {
  data: {
    name: 'own',
    source: { path: 'own.csv', label: 'y', kinds: { a: 'ignored' } },
    train: 8,
    validation: 1,
    test: 1,
  },
  config: {
    seed: 7,
    epochs: 1,
    batchSize: 4,
    optimizer: 'adam',
    learningRate: 0.01,
    schedule: 'cosine',
    bnMomentum: 'none',
    objective: { kind: 'multiclass', labelSmoothing: 0.1 },
  },
  engine: 'onnxruntime-node',
  steps: 2,
  history: [{ epoch: 1, train: { loss: 0.5, score: 0.75 }, validation: { loss: 0.6, score: 0.5 } }],
} as const;
const model: TrainedModel = {
  plan,
  tensors,
  classes: ['no', 'yes'],
  columns: [{ kind: 'categorical', name: 'a', categories: ['x'], fill: null }],
  picture: { ...plainPreparation({ rows: 3, columns: 3 }, 1), fit: 'cover', values: [0, 1] },
  record,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-metadata-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes the model's file with one text of its metadata changed. */
async function changed(key: string, change: (value: never) => unknown): Promise<string> {
  const path = join(folder, 'changed.safetensors');
  await saveModel(path, model);
  const { tensors, metadata } = await readSafetensors(path);
  const text = change(JSON.parse(metadata[`bn_edge.${key}`] ?? 'null') as never);
  const written = typeof text === 'string' ? text : JSON.stringify(text);
  await writeSafetensors(path, tensors, { ...metadata, [`bn_edge.${key}`]: written });
  return path;
}

type Stored = typeof record;

describe('the metadata of a checkpoint', () => {
  it('are read as they were written, their members in the same order', async () => {
    const path = join(folder, 'model.safetensors');
    await saveModel(path, model);
    const loaded = await loadModel(path);
    expect(loaded).toEqual({ ...model, batches: record.steps });
    expect(JSON.stringify(loaded.record)).toBe(JSON.stringify(record));
  });

  it('of a former version are understood: its name of the score, its lack of an objective, its other settings', async () => {
    const path = await changed('record', ({ config: { objective: _, ...config }, ...stored }: Stored) => ({
      ...stored,
      config: { ...config, labelSmoothing: 0.1 },
      history: [{ epoch: 1, train: { loss: 0.5, accuracy: 0.75 }, validation: { loss: 0.6, accuracy: 0.5 } }],
    }));
    const loaded = (await loadModel(path)).record;
    expect(loaded?.history).toEqual(record.history);
    expect(loaded?.config).toMatchObject({ seed: 7, labelSmoothing: 0.1 });
    expect(loaded?.config.objective).toBeUndefined();
  });

  it('of a network from before there were dilation and groups have them', async () => {
    const path = await changed('network', ({ layers: [conv, ...layers], ...network }: typeof plan.network) => ({
      ...network,
      layers: [{ ...conv, dilation: undefined, groups: undefined }, ...layers],
    }));
    expect((await loadModel(path)).plan.network).toEqual(plan.network);
  });

  it.each<[key: string, what: string, change: (value: never) => unknown, message: string]>([
    ['classes', 'no JSON', () => '[', 'expected JSON, got "["'],
    ['classes', 'a number among them', () => ['no', 1], '[1]: expected a text, got 1'],
    [
      'columns',
      'another kind',
      () => [{ kind: 'colour', name: 'a', fill: null }],
      '[0].kind: expected "numeric", "categorical" or "date"',
    ],
    ['columns', 'no list', () => ({}), 'expected a list, got {}'],
    [
      'network',
      'an unknown layer',
      (n: object) => ({ ...n, layers: [{ kind: 'gru' }] }),
      'layers[0].kind: expected "encodeNumbers", "encodeCategories", "dense"',
    ],
    [
      'network',
      'an unknown setting',
      (n: object) => ({ ...n, depth: 3 }),
      'unknown key "depth"; known are name, inputShape',
    ],
    [
      'picture',
      'another fit',
      (p: object) => ({ ...p, fit: 'crop' }),
      'fit: expected "stretch", "cover" or "contain", got "crop"',
    ],
    [
      'picture',
      'another background',
      (p: object) => ({ ...p, background: 'white' }),
      'background: expected a colour #rrggbb, got "white"',
    ],
    ['record', 'none', () => null, 'expected an object, got null'],
    [
      'record',
      'a seed that is a word',
      (r: Stored) => ({ ...r, config: { ...r.config, seed: 'one' } }),
      'config.seed: expected a number, got "one"',
    ],
    [
      'record',
      'another optimizer',
      (r: Stored) => ({ ...r, config: { ...r.config, optimizer: 'lion' } }),
      'config.optimizer: expected "sgd", ',
    ],
    [
      'record',
      'another objective',
      (r: Stored) => ({ ...r, config: { ...r.config, objective: { kind: 'ranking' } } }),
      'config.objective: expected one of the kinds multiclass, binary, mse, huber, got {"kind":"ranking"}',
    ],
    [
      'record',
      'an unknown way to read the data',
      (r: Stored) => ({ ...r, data: { ...r.data, source: { sheet: '2' } } }),
      'data.source: unknown key "sheet"; known are path, label',
    ],
    [
      'record',
      'an epoch without a score',
      (r: Stored) => ({ ...r, history: [{ epoch: 1, train: { loss: 1 }, validation: { loss: 1 } }] }),
      'history[0].train: expected the loss and one of accuracy, rmse',
    ],
  ])('are refused where %s has %s', async (key, _, change, message) => {
    const path = await changed(key, change);
    const error: unknown = await loadModel(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(`${path}: bn_edge.${key}: ${message}`);
    expect((error as Error).message).not.toContain('\n');
  });
});
