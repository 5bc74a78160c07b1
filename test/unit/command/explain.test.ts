/** The command line decides whether a model is explained. */
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addExportOptions, type ExportFlags } from '../../../exporter/command/model-options.ts';

it.each([
  [[], undefined],
  [['--explain'], true],
  [['--no-explain'], false],
])('%j leaves the choice to the card, or makes it: %s', (args, explain) => {
  const command = addExportOptions(new Command());
  command.parse(args, { from: 'user' });
  expect(command.opts<ExportFlags>().explain).toBe(explain);
});
