/** What a program asks of a run is checked as the command line checks its flags. */
import { describe, expect, it } from 'vitest';
import { train, type TrainOptions } from '../../../training/index.ts';

const refusal = (options: unknown): Promise<string> =>
  train(options as TrainOptions).then(
    () => 'none',
    (error: unknown) =>
      error instanceof Error && error.name === 'UserError' ? error.message : `bug: ${String(error)}`,
  );

describe('train refuses', () => {
  it.each<[string, object, string]>([
    ['unknown keys', { epoch: 3 }, 'train: unknown key "epoch"; known are network, hidden, '],
    ['unknown settings', { config: { lr: 1 } }, 'train: config: unknown key "lr"; known are epochs, '],
    ['epochs below 1', { config: { epochs: -1 } }, 'train: config.epochs: expected a number above 0, got -1'],
    ['half an epoch', { config: { epochs: 1.5 } }, 'train: config.epochs: expected a whole number, got 1.5'],
    ['a batch of one', { config: { batchSize: 1 } }, 'train: config.batchSize: expected a number of at least 2, got 1'],
    [
      'a learning rate of NaN',
      { config: { learningRate: NaN } },
      'train: config.learningRate: expected a number, got NaN',
    ],
    ['a momentum of 1', { config: { bnMomentum: 1 } }, 'train: config.bnMomentum: expected a number below 1'],
    ['unknown optimizers', { config: { optimizer: 'lion' } }, 'train: config.optimizer: expected "sgd", '],
    [
      'unknown ways to read',
      { data: { path: 'x.csv', lable: 'y' } },
      'train: data: unknown key "lable"; known are path, ',
    ],
    ['numbers for words', { out: 3 }, 'train: out: expected a text, got 3'],
  ])('%s', async (_, options, expected) => {
    expect(await refusal(options)).toMatch(new RegExp(`^${expected.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
  });
});
