/**
 * A network whose file describes the encodings of its rows goes from a table to an exported file, and an interrupted
 * run ends with the same bits.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportFile } from '../../exporter/model/inference-graph.ts';
import { decodeModel } from '../../training/graph/index.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import { createRandom, loadSource } from '../../training/data/index.ts';
import type { Layer } from '../../training/network/index.ts';
import {
  batchNorm,
  dense,
  encodeCategories,
  encodeNumbers,
  heads,
  members,
  planNetwork,
  relu,
} from '../../training/network/index.ts';
import { multiclass } from '../../training/objective/index.ts';
import { type TrainOptions, trainToFolder } from '../../training/run/index.ts';
import { chooseNetwork } from '../../training/run/choose-network.ts';
import { loadSnapshot, type RunDescription, saveSnapshot } from '../../training/run/snapshot-file.ts';
import { type Snapshot, train } from '../../training/trainer/index.ts';
import { verified } from './verified.ts';

const backend = await nativeBackend({ threads: 1 });
const settings = { optimizer: 'adam', learningRate: 0.01, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;
const length = { epochs: 6, batchSize: 32 } as const;
let folder: string;
const at = (file: string): string => join(folder, file);

/** The label depends on a number and on 40 towns; both columns have gaps. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-encoded-'));
  const random = createRandom(3);
  const rows = Array.from({ length: 900 }, (_, i) => {
    const [x, town] = [Number(random.uniform().toFixed(3)), i % 40];
    const label = (town % 4 === 0 ? x < 0.5 : x > 0.5) ? 'high' : 'low';
    return [i % 11 === 0 ? '' : x, i % 13 === 0 ? '' : `town ${town}`, i % 3 === 0 ? 'yes' : 'no', label].join(',');
  });
  await writeFile(at('towns.csv'), ['x,town,open,label', ...rows, ''].join('\n'));
  await writeFile(at('numbers.csv'), ['a,b,label', ...rows.map((_, i) => `${i},${(i * 7) % 31},${i % 2}`), ''].join('\n')); // oxfmt-ignore
});
afterAll(() => rm(folder, { recursive: true }));

const behind: readonly Layer[] = [members(4), dense(16), batchNorm(), relu(), heads(2)];
const hiddenOf = (units: number): readonly Layer[] => [dense(units), batchNorm(), relu()];
const encoding = [encodeNumbers({ bins: 8 }), encodeCategories({ dimension: 4 })];

async function networkFile(name: string, layers: readonly Layer[], inputs = 3): Promise<string> {
  const path = at(`${name}.json`);
  await writeFile(path, JSON.stringify({ name, inputShape: [inputs], layers }));
  return path;
}

const optionsFor = (network: string, table = 'towns'): TrainOptions => ({
  data: { path: at(`${table}.csv`), label: 'label' },
  config: { ...settings, ...length },
  network,
  backend: 'native',
  threads: 1,
  out: at(`run-${table}-${network.replaceAll(/\W/g, '')}`),
});

describe('a network file that encodes rows', () => {
  it('is trained, kept in the checkpoint, and exported as plain nodes with BatchNormalization', async () => {
    const { checkpoint, test } = await trainToFolder(optionsFor(await networkFile('towns', [...encoding, ...behind])));
    expect(test.metrics['accuracy']).toBeGreaterThan(0.6);
    const model = await loadModel(checkpoint);
    const { network } = model.plan;
    expect(network.layers).toEqual([...encoding, ...behind]);
    expect([network.inputNormalization, network.bins, network.edges?.map(({ length }) => length)]).toEqual([
      ...['robust', undefined],
      [8, 0, 0],
    ]);
    // 40 towns and the gap have 4 numbers each; yes and no have a place.
    expect(model.tensors.get('encode_categories1.1.weight')?.shape).toEqual([41, 4]);
    const file = exportFile(model);
    const ops = decodeModel(file).graph.nodes.map(({ op }) => op);
    expect(ops).toContain('BatchNormalization');
    const { validation } = await loadSource({ path: at('towns.csv'), label: 'label' }, settings.seed);
    expect((await verified(backend, model, file, validation)).largestDifference).toBeLessThan(1e-5);
    await (await InferenceSession.create(file)).release();
  });

  it('is the default of a table to the bit where it says the same', async () => {
    const layers = [encodeNumbers(), encodeCategories(), members(16), ...hiddenOf(64), ...hiddenOf(32), heads(2)];
    const { network, ...options } = optionsFor(await networkFile('default', layers));
    const described = await trainToFolder({ ...options, network, config: { ...settings, epochs: 2 } });
    const usual = await trainToFolder({ ...options, config: { ...settings, epochs: 2 }, out: at('run-usual') });
    const [own, its] = await Promise.all([described, usual].map(({ checkpoint }) => loadModel(checkpoint)));
    expect(own?.tensors).toEqual(its?.tensors);
  });

  it('learns towns by their numbers as well as by their places', async () => {
    const scores: number[] = [];
    for (const dimension of [4, undefined]) {
      const layers = [encodeNumbers({ bins: 8 }), encodeCategories(dimension === undefined ? {} : { dimension })];
      const path = await networkFile(`towns-${dimension ?? 'places'}`, [...layers, ...behind]);
      const options = optionsFor(path);
      const run = await trainToFolder({ ...options, config: { ...options.config, epochs: 40 } });
      scores.push(run.test.metrics['accuracy'] ?? NaN);
    }
    for (const score of scores) expect(score).toBeGreaterThan(0.85);
  });

  it('embeds 3,000 categories, of which training has seen some, and answers for the others as well', async () => {
    const rows = Array.from({ length: 3200 }, (_, i) => `town ${i % 3000},${i % 7},${i % 3 === 0 ? 'high' : 'low'}`);
    await writeFile(at('many.csv'), ['town,x,label', ...rows, ''].join('\n'));
    const options = optionsFor(await networkFile('many', [encodeCategories({ dimension: 8 }), ...behind], 2), 'many');
    const data = { path: at('many.csv'), label: 'label', kinds: { town: 'categorical' } } as const;
    const { checkpoint } = await trainToFolder({ ...options, data, config: { ...settings, epochs: 1 } });
    const model = await loadModel(checkpoint);
    const unseen = model.plan.network.unseen?.[0]?.length ?? 0;
    expect(unseen).toBeGreaterThan(300);
    expect(model.tensors.get('encode_categories1.0.weight')?.shape).toEqual([3000 - unseen, 8]);
    const { test } = await loadSource(data, settings.seed);
    expect((await verified(backend, model, exportFile(model), test)).largestDifference).toBeLessThan(1e-5);
  });

  it('ends in the same bits where it was stopped and went on', async () => {
    const source = { path: at('towns.csv'), label: 'label' };
    const data = await loadSource(source, settings.seed);
    const file = await networkFile('stopped', [...encoding, ...behind]);
    const network = await chooseNetwork({ network: file }, source, data, multiclass());
    const plan = planNetwork(network);
    const config = { ...settings, ...length, objective: multiclass() };
    const run: RunDescription = {
      network,
      data: { name: 'towns', train: data.train.count, validation: data.validation.count, test: data.test.count },
      sha256: '',
      config,
    };
    const whole = await train(plan, data, config, backend);
    const stop = new AbortController();
    const events = {
      onProgress: ({ steps }: { readonly steps: number }) => {
        if (steps >= 30) stop.abort('SIGINT');
      },
      onSnapshot: (snapshot: Snapshot) =>
        saveSnapshot(at('stopped.safetensors'), run, { snapshot, engine: backend.engine }),
    };
    const first = await train(plan, data, config, backend, events, { signal: stop.signal });
    expect(first.interrupted).toBe(true);
    const { snapshot } = await loadSnapshot(at('stopped.safetensors'), plan, JSON.parse(JSON.stringify(run)) as typeof run); // oxfmt-ignore
    expect(await train(plan, data, config, backend, {}, { snapshot })).toEqual(whole);
  });

  it('that is not one but has bins is cut by these, by those of the flag, or not at all', async () => {
    const path = at('cut.json');
    await writeFile(path, JSON.stringify({ name: 'cut', inputShape: [3], bins: 4, layers: [dense(2)] }));
    const data = await loadSource({ path: at('towns.csv'), label: 'label' }, settings.seed);
    const cuts = [undefined, 16, 0].map(async (bins) => {
      const network = await chooseNetwork({ network: path, bins }, { path: at('towns.csv') }, data, multiclass());
      planNetwork(network);
      return [network.bins, network.edges?.[0]?.length];
    });
    expect(await Promise.all(cuts)).toEqual([
      [4, 4],
      [16, 16],
      [undefined, undefined],
    ]);
  });

  it.each<[string, readonly Layer[], Partial<TrainOptions>, string, string]>([
    [
      'categories of a table that has none',
      [encodeCategories(), ...behind],
      {},
      'numbers',
      'odd: encode_categories1: expected columns of categories, got none; leave it out',
    ],
    [
      'bins beside the flag',
      [encodeNumbers(), ...behind],
      { bins: 8 },
      'numbers',
      '--bins: expected no encodeNumbers in odd beside it, got 32',
    ],
  ])('is refused for %s', async (_, layers, flags, table, message) => {
    const options = optionsFor(await networkFile('odd', layers, 2), table);
    await expect(trainToFolder({ ...options, ...flags })).rejects.toThrow(message);
  });
});
