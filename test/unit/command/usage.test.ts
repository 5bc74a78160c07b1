/** A user who writes an option as another tool spells it, or loses it to npm, is told the right one. */
import { Command } from 'commander';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { refuseSwallowed } from '../../../exporter/command/npm-options.ts';
import { parse } from '../../../exporter/command/run-command.ts';
import { wrongUse } from '../../../exporter/command/usage.ts';
import { train } from '../../../exporter/command/train.ts';

let command: Command;
beforeAll(async () => {
  command = new Command('train');
  await train.configure(command, []);
});

describe('an option that other tools have is answered with the right name:', () => {
  test.each([
    ['--lr', '--learning-rate <x>'],
    ['--lr=0.1', '--learning-rate <x>'],
    ['-lr', '--learning-rate <x>'],
    ['--learning_rate', '--learning-rate <x>'],
    ['--batch_size', '--batch-size <n>'],
    ['--batchSize', '--batch-size <n>'],
    ['--BATCH-SIZE', '--batch-size <n>'],
    ['--bs', '--batch-size <n>'],
    ['--device', '--backend <name> (native, webgpu, wasm, auto)'],
    ['--num_epochs', '--epochs <n>'],
    ['--num-epochs', '--epochs <n>'],
    ['--numEpochs', '--epochs <n>'],
    ['--max_epochs', '--epochs <n>'],
    ['--wd', '--weight-decay <x>'],
    ['--weight_decay', '--weight-decay <x>'],
    ['--momentum_bn', "--bn-momentum <x> (the share that is kept: 1 − PyTorch's)"],
    ['--patience', '--early-stopping <epochs>'],
    ['--target', '--label <name>'],
    ['--random_state', '--seed <n>'],
    ['--hidden_layer_sizes', '--hidden <widths>'],
    ['--output-dir', '--out <folder>'],
    ['--class-weight', '--balance-classes'],
    ['--val_split', '--validation-share <x>'],
    // These are found by their spelling alone.
    ['--epoch', '--epochs <n>'],
    ['--lable', '--label <name>'],
    ['--decay-weight', '--weight-decay <x>'],
    ['--learning', '--learning-rate <x>'],
  ])('%s', async (typed, ours) => {
    const [flag] = typed.split('=');
    await expect(parse(command, ['a.csv', typed])).rejects.toThrow(wrongUse(`train: expected ${ours}, got ${flag}`));
  });

  test('and one that nothing is like, with where to look', async () => {
    await expect(parse(command, ['a.csv', '--telepathy'])).rejects.toThrow(
      'train: expected one of its options (--help lists them), got --telepathy',
    );
  });

  test('every other wrong use is told in one line, too', async () => {
    await expect(parse(command, ['a.csv', 'b.csv'])).rejects.toThrow(
      'train: expected at most one argument, data, got also b.csv',
    );
    await expect(parse(command, ['a.csv', '--hidden', '64', '32'])).rejects.toThrow(
      'train: expected at most one argument, data, got also 32; a list has commas and no spaces: 64,32',
    );
    await expect(parse(command, ['-v'])).rejects.toThrow('train: expected bn-edge --version or -V, got -v');
    await expect(parse(command, ['a.csv', '--epochs', '0'])).rejects.toThrow(
      "option '--epochs <n>' argument '0' is invalid. Expected a whole number of at least 1.",
    );
  });
});

describe('an option that npm swallowed', () => {
  const under = (script: string, variables: Readonly<Record<string, string>>, args: readonly string[] = []) => {
    refuseSwallowed(command, args, { npm_lifecycle_event: script, ...variables });
  };

  it.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'a switch',
      { npm_config_resume: 'true' },
      '--resume: npm took this option for its own; put -- before options: npm run train -- --resume',
    ],
    [
      'one with its value',
      { npm_config_batch_size: '32' },
      '--batch-size: npm took this option for its own; put -- before options: npm run train -- --batch-size 32',
    ],
    [
      'one whose value npm took for an argument',
      { npm_config_epochs: 'true' },
      '--epochs: npm took this option for its own; put -- before options: npm run train -- --epochs <n>',
    ],
    [
      'a switch that is turned off',
      { npm_config_header: '' },
      '--no-header: npm took this option for its own; put -- before options: npm run train -- --no-header',
    ],
    [
      'the form of the answer',
      { npm_config_json: 'true' },
      '--json: npm took this option for its own; put -- before options: npm run train -- --json',
    ],
  ])('is missed: %s', (_, variables, message) => {
    expect(() => {
      under('train', variables);
    }).toThrow(wrongUse(message));
  });

  it.each<[string, () => void]>([
    [
      'what npm sets by itself',
      () => {
        under('train', { npm_config_cache: '/c', npm_config_prefix: '/p', npm_config_loglevel: 'error' });
      },
    ],
    [
      'an option that came through as well',
      () => {
        under('train', { npm_config_resume: 'true' }, ['--resume']);
      },
    ],
    [
      'npx, which swallows none',
      () => {
        under('npx', { npm_config_json: 'true' });
      },
    ],
    [
      'a shell without npm',
      () => {
        refuseSwallowed(command, [], { npm_config_resume: 'true' });
      },
    ],
  ])('is not suspected in %s', (_, ask) => {
    expect(ask).not.toThrow();
  });

  it('is told with the words of npm start', () => {
    expect(() => {
      under('start', { npm_config_resume: 'true' });
    }).toThrow('npm start -- --resume');
  });
});
