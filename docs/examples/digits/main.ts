/**
 * Runs `npm start`: trains if there is no model yet, exports, verifies, serves, and shows what fixed running statistics
 * are for.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Command } from 'commander';
import { wholeNumber } from '../../../exporter/command/option-values.ts';
import { runCommand } from '../../../exporter/command/run-command.ts';
import type { Server } from '../../../exporter/command/serve.ts';
import { stageLine } from '../../../exporter/command/stage.ts';
import { terminalReporter } from '../../../exporter/command/terminal.ts';
import { type ClassificationDataset, exportModel, loadMnist, train } from '../../../exporter/index.ts';
import { describeExport } from '../../../exporter/model/describe.ts';
import { readCard } from '../../../exporter/store/card.ts';
import { at, elementCount } from '../../../training/arrays/index.ts';
import { unexpected } from '../../../training/files/index.ts';
import { askWorker } from './client.ts';
import { compareStatistics, type Digit } from './comparison.ts';
import { serveDigits } from './serve.ts';

interface Flags {
  readonly retrain: boolean;
  readonly once: boolean;
  readonly port: number;
}

const name = 'mnist-cnn';
const models = 'models';

const command = new Command('start')
  .description('Train (when there is no model), export, verify, serve and compare.')
  .option('--retrain', 'train again even if there is a model', false)
  .option('--once', 'stop after the comparison', false)
  .option('--port <n>', 'of the Worker; the next free one is taken', wholeNumber(1), 8787)
  .action(start);

async function start({ retrain, once, port }: Flags): Promise<void> {
  if (retrain || !existsSync(join(models, name, 'model.onnx'))) await trainAndExport();
  const server = await serve(port);
  process.once('SIGINT', () => void server.stop());
  try {
    await show(server.url);
    if (once) return;
    console.log(`\nserving on ${server.url}   try: curl ${server.url}/v2/models/${name}   stop: Ctrl-C`);
    await server.ended();
  } finally {
    await server.stop();
  }
}

async function serve(port: number): Promise<Server> {
  using stage = stageLine('start');
  return await serveDigits(port, stage.show);
}

async function trainAndExport(): Promise<void> {
  const config = { epochs: 3, batchSize: 64 };
  const options = { network: name, data: {}, config, out: join('runs', name), overwrite: true };
  const { checkpoint } = await train(options, terminalReporter());
  // The comparison asks for both statistics.
  const card = await exportModel({ checkpoint, name, models, explain: true });
  console.log(describeExport(card, models));
}

async function show(url: string): Promise<void> {
  const card = await readCard(models, name);
  const { test } = await loadMnist({ seed: 0 });
  const { labels, scores } = card;
  if (!labels || !scores) throw unexpected(`${models}/${name}`, 'a model for classes', 'one without');
  const digits = labels.flatMap((label) => imagesOf(test, label, 1).map((image): Digit => ({ label, image })));
  const ones = { description: '63 ones', images: imagesOf(test, '1', 63) };
  const mixed = { description: '63 mixed digits', images: imagesOf(test, undefined, 63) };
  const ask = askWorker({ url, name, inputShape: test.inputShape, labels });
  console.log(await compareStatistics(scores.test, ask, digits.toReversed(), [mixed, ones]));
}

/** Returns the first `count` test images of a class, or of any class. */
function imagesOf(
  { inputs, inputShape, labels, classes }: ClassificationDataset,
  label: string | undefined,
  count: number,
) {
  const size = elementCount(inputShape);
  const fits = (i: number) => label === undefined || at(classes, at(labels, i)) === label;
  const found = [...labels.keys()].filter(fits).slice(0, count);
  return found.map((i) => Uint8Array.from(inputs.subarray(i * size, (i + 1) * size)));
}

await runCommand(command);
