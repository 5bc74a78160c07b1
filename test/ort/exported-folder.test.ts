/** An export leaves in the folder of models what later commands check it by. */
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addModel } from '../../exporter/model/add.ts';
import { checkModels } from '../../exporter/model/check-models.ts';
import { exportModel } from '../../exporter/model/export.ts';
import { parseSamples } from '../../exporter/model/samples.ts';
import { cardBytes, describeFile, parseCard, readCard } from '../../exporter/store/card.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { saveModel } from '../../training/checkpoint/model.ts';
import { createRandom, type Dataset, encodeNpz, loadSource } from '../../training/data/index.ts';
import { batchNorm, dense, type Network, planNetwork } from '../../training/network/index.ts';
import { initializeTensors, runOverSamples } from '../../training/trainer/index.ts';

const backend = await nativeBackend({ threads: 1 });

let folder: string;
let data: Dataset;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-exported-'));
  await makeCheckpoint('many', 320, 2000);
  await makeCheckpoint('few', 3, 100);
});
afterAll(() => rm(folder, { recursive: true }));

const at = (...path: readonly string[]): string => join(folder, ...path);
const sourceOf = (name: string) => ({ path: at(`${name}.npz`) });

/** Saves initial weights for so many classes, and samples of bytes. */
async function makeCheckpoint(name: string, classes: number, count: number): Promise<void> {
  const random = createRandom(1);
  const x = Uint8Array.from({ length: count * 4 }, () => Math.floor(256 * random.uniform()));
  const y = Int32Array.from({ length: count }, (_, i) => i % classes);
  await writeFile(at(`${name}.npz`), encodeNpz({ x: { shape: [count, 4], data: x }, y: { shape: [count], data: y } }));
  const network: Network = {
    name,
    inputShape: [4],
    inputNormalization: 'feature',
    layers: [dense(5), batchNorm(), dense(classes)],
  };
  const plan = planNetwork(network);
  const { train, test } = await loadSource(sourceOf(name), 0);
  if (name === 'few') data = test;
  const names = train.task === 'classification' ? train.classes : [];
  const tensors = initializeTensors(plan, createRandom(1), train);
  await saveModel(at(`${name}.safetensors`), { plan, tensors, classes: names, record: undefined });
}

const exportAs = (
  checkpoint: string,
  name: string,
  options: { readonly explain?: boolean; readonly overwrite?: boolean } = {},
) =>
  exportModel(
    { checkpoint: at(`${checkpoint}.safetensors`), name, models: at('models'), data: sourceOf(checkpoint), ...options },
    backend,
  );

describe('an exported folder', () => {
  beforeAll(async () => {
    await exportAs('few', 'three');
  });

  it('holds the model, its card and some of the test samples, and no more', async () => {
    const card = await exportAs('few', 'three');
    expect((await readdir(at('models/three'))).sort()).toEqual(['card.json', 'model.onnx', 'samples.npz']);
    expect(await readCard(at('models'), 'three')).toEqual(card);
    expect(Object.keys(card.files)).toEqual(['model.onnx', 'samples.npz']);
    expect(card.explain).toBe(false);
    expect(await readFile(at('models/three/card.json'), 'utf8')).not.toContain(folder);
  });

  it('has raw inputs in its samples, and what the file answers to them', async () => {
    const samples = parseSamples(await readFile(at('models/three/samples.npz')), 'samples');
    // The test part has ten samples.
    expect(samples).toMatchObject({ count: 10, inputShape: [4], inputs: data.inputs });
    const session = await backend.loadSession(await readFile(at('models/three/model.onnx')));
    const answers = await runOverSamples(session, samples, { input: 'features', output: 'logits', batchSize: 1 });
    await session.release();
    expect(answers).toHaveLength(30);
    answers.forEach((value, i) => {
      expect(value).toBeCloseTo(samples.answers[i] ?? NaN, 5);
    });
  });

  it('takes 32 samples from all of the data, and hundreds of outputs', async () => {
    const card = await exportAs('many', 'many');
    expect(card.outputs[0]?.shape).toEqual([-1, 320]);
    expect(card.verification.samples).toBe(200);
    const { train, test } = await loadSource(sourceOf('many'), 0);
    const { inputs, answers, count } = parseSamples(await readFile(at('models/many/samples.npz')), 'samples');
    expect([count, answers.length]).toEqual([32, 32 * 320]);
    const rows = Array.from({ length: 32 }, (_, i) => Math.floor((i * 200) / 32));
    expect([...inputs]).toEqual(rows.flatMap((row) => [...test.inputs.subarray(row * 4, row * 4 + 4)]));
    expect(train.count).toBe(1600);
  });

  it('keeps what somebody has set in the card, until told otherwise', async () => {
    expect((await exportAs('few', 'shown', { explain: true })).explain).toBe(true);
    expect((await exportAs('few', 'shown')).explain).toBe(true);
    const path = at('models/shown/card.json');
    const card = parseCard(path, await readFile(path));
    await writeFile(path, cardBytes({ ...card, version: '7', explain: true }));
    expect(await exportAs('few', 'shown')).toMatchObject({ version: '7', explain: true });
    expect((await exportAs('few', 'shown', { explain: false })).explain).toBe(false);
  });

  it('keeps what somebody has put beside it', async () => {
    await exportAs('few', 'beside');
    await writeFile(at('models/beside/notes.md'), 'mine');
    await exportAs('few', 'beside');
    expect((await readdir(at('models/beside'))).sort()).toEqual(['card.json', 'model.onnx', 'notes.md', 'samples.npz']);
  });

  it('takes the place of a model from elsewhere only if it is told to', async () => {
    await addModel({ file: at('models/three/model.onnx'), name: 'bought', models: at('models') });
    const before = await readFile(at('models/bought/card.json'), 'utf8');
    await expect(exportAs('few', 'bought')).rejects.toThrow(
      `${at('models/bought')}: expected no model from elsewhere (--name chooses another, --overwrite replaces it), got one`,
    );
    expect(await readFile(at('models/bought/card.json'), 'utf8')).toBe(before);
    expect((await exportAs('few', 'bought', { overwrite: true })).network.name).toBe('few');
    const again = { file: at('models/three/model.onnx'), name: 'three', models: at('models') };
    await expect(addModel(again)).rejects.toThrow('models/three: expected no model of that name (--name');
  });
});

describe('the check of all models', () => {
  const models = () => at('checked');
  const check = async () => {
    const lines: string[] = [];
    await checkModels(models(), (line) => lines.push(line));
    return lines;
  };
  const path = (file: string) => at('checked/three', file);

  beforeEach(async () => {
    await rm(models(), { recursive: true, force: true });
    const options = { checkpoint: at('few.safetensors'), models: models(), data: sourceOf('few') };
    await exportModel({ ...options, name: 'three' }, backend);
  });

  it('says what it has seen of each', async () => {
    expect(await check()).toEqual([
      expect.stringMatching(/^three: 2 files as the card says, the answers to 10 samples within (0|[\d.]+e-\d+)$/),
    ]);
  });

  it('takes the only file of a folder, whatever it is called', async () => {
    const card = parseCard('card', await readFile(path('card.json')));
    const { 'model.onnx': model, ...files } = card.files ?? {};
    if (!model) throw new Error('internal: expected a file');
    await rename(path('model.onnx'), path('few.onnx'));
    await writeFile(path('card.json'), cardBytes({ ...card, files: { ...files, 'few.onnx': model } }));
    expect(await check()).toEqual([
      expect.stringMatching(/^three: 2 files as the card says, the answers to 10 samples/),
    ]);
  });

  it('refuses a file that is not the one of the card', async () => {
    const model = await readFile(path('model.onnx'));
    await writeFile(path('model.onnx'), Buffer.concat([model, Buffer.of(0)]));
    await expect(check()).rejects.toThrow(/^\S+model\.onnx: expected sha256 \w+, as the card says, got \w+$/);
  });

  it('refuses a model that answers otherwise, and names the sample', async () => {
    const card = parseCard('card', await readFile(path('card.json')));
    const samples = await readFile(path('samples.npz'));
    const { inputs, answers } = parseSamples(samples, 'samples');
    const off = Math.max(...answers.map(Math.abs)) * 2e-5;
    const y = answers.map((value, i) => (i === 4 ? value + off : value));
    const other = encodeNpz({ x: { shape: [10, 4], data: inputs }, y: { shape: [10, 3], data: y } });
    await writeFile(path('samples.npz'), other);
    const files = { ...card.files, 'samples.npz': describeFile(other) };
    await writeFile(path('card.json'), cardBytes({ ...card, files }));
    await expect(check()).rejects.toThrow(/three: sample 1, number 1: expected \S+, as samples\.npz says, got \S+$/);
  });

  it('refuses a card with a key that it does not know, and passes over a model without a card', async () => {
    await writeFile(path('card.json'), '{"colour": 1}');
    await expect(check()).rejects.toThrow('card.json: unknown key "colour"');
    await rm(path('card.json'));
    expect(await check()).toEqual([]);
    await expect(checkModels(at('nowhere'), () => undefined)).rejects.toThrow(/nowhere: cannot read: no such file/);
  });
});
