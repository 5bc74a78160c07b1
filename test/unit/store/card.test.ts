/** Valid cards are accepted, and others are refused in one line. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardBytes, emptyCard, type ModelCard, parseCard, readCard } from '../../../exporter/store/card.ts';
import { UserError } from '../../../training/files/errors.ts';
import { networks } from '../../../training/network/index.ts';

const whole: ModelCard = {
  name: 'digits',
  version: '2',
  description: 'digits of a pen',
  labels: ['no', 'yes'],
  output: { name: 'logits', kind: 'logits' },
  explain: true,
  unknown: 'fill',
  inputs: [
    {
      name: 'features',
      datatype: 'FP32',
      shape: [-1, 2],
      columns: [
        { kind: 'numeric', name: 'age', fill: null },
        { kind: 'categorical', name: 'town', categories: ['Bern', 'Ulm'], fill: 1 },
      ],
    },
    { name: 'anything', datatype: 'INT64' },
  ],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 2] }],
  statistics: 'population',
  scores: {
    name: 'accuracy',
    better: 'higher',
    test: { running: 0.9, population: 0.8, batchOfOne: 0.1 },
    baseline: 0.5,
  },
  metrics: { accuracy: 0.9, 'top-3': 1 },
  verification: { samples: 3, largestDifference: 1e-7 },
  network: networks['mnist-mlp'],
  training: {
    data: { name: 'MNIST', train: 3, validation: 2, test: 1, sha256: 'abc' },
    objective: 'multiclass',
    optimizer: 'adam',
    learningRate: 0.002,
    schedule: 'cosine',
    epochs: 3,
    bestEpoch: 2,
    batchSize: 64,
    bnMomentum: 'none',
    seed: 1,
    engine: 'onnxruntime-node 1.30.0, 2 threads',
    steps: 2577,
  },
  files: { 'model.onnx': { sha256: 'abc', bytes: 3 } },
};

const path = 'models/x/card.json';
const parse = (card: unknown) => parseCard(path, JSON.stringify(card));

describe("a card with Hugging Face's names of the classes", () => {
  it('has them in the order of their numbers, and is written with labels', () => {
    const card = parse({ id2label: { '10': 'k', ...Object.fromEntries(Array.from('abcdefghij', (c, i) => [i, c])) } });
    expect(card.labels).toEqual(Array.from('abcdefghijk'));
    expect(JSON.parse(Buffer.from(cardBytes(card)).toString())).toEqual({
      version: '1',
      labels: card.labels,
      explain: false,
    });
  });

  it.each<[what: string, card: object, message: string]>([
    ['a number is left out', { id2label: { 0: 'a', 2: 'b' } }, 'id2label: expected a name for each index from 0 on'],
    ['a key is no number', { id2label: { a: '0' } }, 'id2label: expected a name for each index from 0 on'],
    [
      'labels are there, too',
      { labels: ['a'], id2label: { 0: 'a' } },
      'id2label: expected labels or id2label, got both',
    ],
  ])('is refused where %s', (_, card, message) => {
    expect(() => parse(card)).toThrow(`${path}: ${message}`);
  });
});

describe('a card', () => {
  it('with every member is read as it was written', () => {
    expect(parseCard(path, cardBytes(whole))).toEqual(whole);
  });

  it('of a model from elsewhere may say as little as one likes', () => {
    expect(parse({})).toEqual({ version: '1', explain: false });
    expect(parse({ labels: ['a'] })).toEqual({ ...emptyCard, labels: ['a'] });
  });

  const known = 'version, description, labels, id2label, output, ';

  it.each<[what: string, card: unknown, message: string]>([
    ['an unknown key', { colour: 1 }, `unknown key "colour"; known are name, ${known}`],
    ['two of them', { colour: 1, shape: 2 }, `unknown keys "colour", "shape"; known are name, ${known}`],
    [
      'a key of a former version',
      { accuracy: { test: { running: 0.9 } } },
      `unknown key "accuracy"; known are name, ${known}`,
    ],
    [
      'an unknown key inside',
      { output: { name: 'y', kind: 'logits', type: 1 } },
      'output: unknown key "type"; known are name, kind',
    ],
    [
      'a path of the machine that trained it',
      { training: { ...whole.training, data: { ...whole.training?.data, source: { path: '/home/me' } } } },
      'training.data: unknown key "source"; known are name, train, validation, test, sha256',
    ],
    ['the epochs of a run', { training: { ...whole.training, history: [] } }, 'training: unknown key "history"'],
    ['a list', [], 'expected an object, got []'],
    ['nothing', null, 'expected an object, got null'],
    ['a version that is a number', { version: 2 }, 'version: expected a text, got 2'],
    ['a version that leads elsewhere', { version: '../b' }, "version: expected letters, digits, '.', '_' and '-', got"],
    ['a text for labels', { labels: '0' }, 'labels: expected a list, got "0"'],
    ['a label that is a number', { labels: ['0', 1] }, 'labels[1]: expected a text, got 1'],
    [
      'another kind of output',
      { output: { name: 'y', kind: 'scores' } },
      'output.kind: expected "logits", "probabilities", "multi-label", "number" or "class", got "scores"',
    ],
    ['an output without a kind', { output: { name: 'y' } }, 'output.kind: expected "logits", '],
    ['another way with rows', { unknown: 'guess' }, 'unknown: expected "refuse", "ignore" or "fill", got "guess"'],
    ['a word for yes', { explain: 'yes' }, 'explain: expected true or false, got "yes"'],
    [
      'another datatype',
      { inputs: [{ name: 'x', datatype: 'float32', shape: [-1] }] },
      'inputs[0].datatype: expected "BOOL", ',
    ],
    [
      'half a size',
      { outputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2.5] }] },
      'outputs[0].shape[1]: expected a whole number, got 2.5',
    ],
    [
      'a column of another kind',
      { inputs: [{ name: 'x', datatype: 'FP32', columns: [{ kind: 'colour', name: 'day', fill: null }] }] },
      'inputs[0].columns[0].kind: expected "numeric", "categorical" or "date", got "colour"',
    ],
    ['other statistics', { statistics: 'batch' }, 'statistics: expected "running" or "population", got "batch"'],
    [
      'a score that is no number',
      { scores: { ...whole.scores, baseline: null } },
      'scores.baseline: expected a number, got null',
    ],
    [
      'a share of the old statistics that is a word',
      { training: { ...whole.training, bnMomentum: 'all' } },
      'training.bnMomentum: expected a number or "none", got "all"',
    ],
    [
      'a layer that does not exist',
      { network: { ...networks['mnist-mlp'], layers: [{ kind: 'attention' }] } },
      'network.layers[0].kind: expected "encodeNumbers", "encodeCategories", "dense", ',
    ],
  ])('is refused for %s', (_, card, message) => {
    expect(() => parse(card)).toThrow(UserError);
    expect(() => parse(card)).toThrow(`${path}: ${message}`);
    expect(() => parse(card)).not.toThrow('\n');
  });

  it.each([
    ['', 'nothing'],
    ['{', '"{"'],
    ['<!doctype html>', '"<!doctype html>"'],
  ])('is JSON, not %j', (text, got) => {
    expect(() => parseCard(path, text)).toThrow(new UserError(`${path}: expected JSON, got ${got}`));
  });
});

describe('a card in a folder', () => {
  let models: string;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'bn-edge-cards-'));
    await mkdir(join(models, 'x/versions/1'), { recursive: true });
    await writeFile(join(models, 'x/versions/1/card.json'), '{"colour": 1}');
  });
  afterAll(() => rm(models, { recursive: true }));

  it('is named in what is wrong with it, and missed', async () => {
    const file = join(models, 'x/versions/1/card.json');
    await expect(readCard(models, 'x/versions/1')).rejects.toThrow(`${file}: unknown key "colour"; known are `);
    await expect(readCard(models, 'x')).rejects.toThrow(
      new UserError(`${join(models, 'x/card.json')}: cannot read: no such file or directory`),
    );
  });
});
