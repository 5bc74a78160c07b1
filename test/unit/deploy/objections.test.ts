/** A release is refused for lower accuracy, another signature, or a Worker that is too large for the platform. */
import { describe, expect, it } from 'vitest';
import type { ExportedCard } from '../../../exporter/model/card.ts';
import { emptyCard } from '../../../exporter/store/card.ts';
import { maxBytes, objections, tooLarge } from '../../../exporter/deploy/objections.ts';

const accuracy = (running: number): Pick<ExportedCard, 'scores'> => ({
  scores: { name: 'accuracy', better: 'higher', test: { running, population: 0.5, batchOfOne: 0.1 }, baseline: 0.1 },
});
const rmse = (running: number): Pick<ExportedCard, 'scores'> => ({
  scores: { name: 'RMSE', better: 'lower', test: { running, population: 9, batchOfOne: 9 }, baseline: 20 },
});

const card: ExportedCard = {
  name: 'digits',
  version: '1',
  description: '',
  labels: ['no', 'yes'],
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 2] }],
  statistics: 'running',
  ...accuracy(0.9921),
  verification: { samples: 1, largestDifference: 0 },
  network: { name: 'digits', inputShape: [4], inputNormalization: 'feature', layers: [] },
  explain: false,
  output: { name: 'logits', kind: 'logits' },
  metrics: {},
  files: {},
};

const training: NonNullable<ExportedCard['training']> = {
  data: { name: 'digits', train: 2, validation: 1, test: 1 },
  objective: 'multiclass',
  optimizer: 'adam',
  learningRate: 0.001,
  schedule: 'cosine',
  epochs: 1,
  bestEpoch: 1,
  batchSize: 2,
  bnMomentum: 'none',
  seed: 1,
  engine: 'onnxruntime-node',
  steps: 1,
};

describe('the comparison with the deployed card', () => {
  it.each<[what: string, change: Partial<ExportedCard>]>([
    ['the same accuracy', {}],
    ['a better one', accuracy(1)],
    ['a loss of 0.2 points', accuracy(0.9901)],
    ['another description', { description: 'anew' }],
    ['a description of the data', { training }],
  ])('lets %s pass', (_, change) => {
    expect(objections(card, { ...card, ...change })).toEqual([]);
  });

  it.each<[what: string, change: Partial<ExportedCard>, objection: string]>([
    ['a larger loss', accuracy(0.99), 'test accuracy: expected at least 99.01 % (0.2 points below now), got 99.00 %'],
    [
      'statistics that lose',
      { statistics: 'population' },
      'test accuracy: expected at least 99.01 % (0.2 points below now), got 50.00 %',
    ],
    [
      'another name of the input',
      { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] },
      'inputs: expected [{"name":"pixels","datatype":"FP32","shape":[-1,4]}], got [{"name":"x","datatype":"FP32","shape":[-1,4]}]',
    ],
    [
      'another shape of the output',
      { outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 3] }] },
      'outputs: expected [{"name":"logits","datatype":"FP32","shape":[-1,2]}], got [{"name":"logits","datatype":"FP32","shape":[-1,3]}]',
    ],
    [
      'an answer of another kind',
      { output: { name: 'logits', kind: 'probabilities' } },
      'output: expected {"name":"logits","kind":"logits"}, got {"name":"logits","kind":"probabilities"}',
    ],
    ['classes in another order', { labels: ['yes', 'no'] }, 'labels: expected ["no","yes"], got ["yes","no"]'],
  ])('objects to %s', (_, change, objection) => {
    expect(objections(card, { ...card, ...change })).toEqual([objection]);
  });

  it('lets the error of numbers grow by one percent at most', () => {
    const { labels: _, ...numbers } = card;
    expect(objections({ ...numbers, ...rmse(2) }, { ...numbers, ...rmse(2.02) })).toEqual([]);
    expect(objections({ ...numbers, ...rmse(2) }, { ...numbers, ...rmse(2.03) })).toEqual([
      'test RMSE: expected at most 2.020 (1 % above now), got 2.030',
    ]);
  });

  it('compares no accuracy with an error', () => {
    expect(objections({ ...card, ...rmse(0.5) }, card)).toEqual([
      'test accuracy: expected one in the deployed card to compare with, got none',
    ]);
  });

  it('objects to replacing a model without a card', () => {
    expect(objections(emptyCard, card)).toEqual([
      'test accuracy: expected one in the deployed card to compare with, got none',
      expect.stringContaining('inputs: expected a deployed card that states them, got '),
      expect.stringContaining('outputs: expected a deployed card that states them, got '),
      expect.stringContaining('output: expected a deployed card that states them, got '),
      expect.stringContaining('labels: expected a deployed card that states them, got '),
    ]);
  });
});

describe('the size of the Worker', () => {
  it('may be what the platform takes', () => {
    expect(tooLarge(maxBytes)).toEqual([]);
  });

  it('may not be more', () => {
    expect(tooLarge(maxBytes + 6000)).toEqual([
      'worker: expected at most 64.00 MiB, got 64.01 MiB; "weights": "int8" or "weightsIn": "assets" in a card.json makes it smaller',
    ]);
  });
});
