/** The options of a program are checked like the flags of the command line. */
import { describe, expect, it } from 'vitest';
import { addModel, evaluate, exportModel, train } from '../../../exporter/index.ts';

const refusal = (options: unknown): Promise<string> =>
  train({ data: { path: 'x.csv' }, ...(options as object) }).then(
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
    [
      'what is said of no file',
      { data: { label: 'y' } },
      'train: data.path: expected the file or folder that the other options describe',
    ],
    ['no data', { data: undefined }, 'train: data: expected an object, got none'],
    ['numbers for words', { out: 3 }, 'train: out: expected a text, got 3'],
  ])('%s', async (_, options, expected) => {
    expect(await refusal(options)).toMatch(new RegExp(`^${expected.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
  });
});

describe('without what it needs, one key or no options at all, is refused by its name', () => {
  it.each<[string, (options: never) => Promise<unknown>, unknown, string]>([
    ['train', train, undefined, 'train: data: expected an object, got none'],
    ['train', train, {}, 'train: data: expected an object, got none'],
    ['evaluate', evaluate, undefined, 'evaluate: expected an object, got none'],
    ['evaluate', evaluate, {}, 'evaluate: expected a checkpoint or a model, got neither'],
    ['evaluate', evaluate, { checkpont: 'x' }, 'evaluate: unknown key "checkpont"; known are checkpoint, model, '],
    ['exportModel', exportModel, undefined, 'exportModel: expected an object, got none'],
    ['exportModel', exportModel, { name: 'a' }, 'exportModel: checkpoint: expected a text, got none'],
    ['addModel', addModel, undefined, 'addModel: expected an object, got none'],
    ['addModel', addModel, { fil: 'a' }, 'addModel: file: expected a text, got none; unknown key "fil"'],
  ])('%s', async (_, call, options, message) => {
    const error: unknown = await call(options as never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'UserError' });
    expect(String(error)).toContain(message);
  });
});
