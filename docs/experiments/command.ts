/**
 * Runs `npm run experiments`: measures the claims about Batch Norm, starts the Worker for the experiment that asks it,
 * and draws the report.
 */
import { Command } from 'commander';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { wholeNumber } from '../../exporter/command/option-values.ts';
import { runCommand } from '../../exporter/command/run-command.ts';
import { UserError } from '../../training/files/index.ts';
import { chooseExperiments, experiments, runInProcesses, showProgress, writeReport } from './index.ts';
import type { Server } from '../../exporter/command/serve.ts';
import { serveDigits } from '../examples/digits/serve.ts';
import type { OneExperiment } from './one.ts';

interface Flags {
  readonly quick: boolean;
  readonly draw: boolean;
  readonly jobs: number;
  readonly out?: string;
  readonly port: number;
}

/** The name of the experiment that asks the Worker. */
const asking = 'neighbours';

const command = new Command('experiments')
  .description('Measure the claims about Batch Norm and write the report.')
  .argument('[names...]', `all when omitted: ${experiments.map(({ name }) => name).join(', ')}`)
  .option('--quick', 'fewer repeats and steps, into dist/report: the direction of each effect, not its size', false)
  .option('--draw', 'only draw the report again, from the numbers that are there', false)
  .option('--jobs <n>', 'experiments at the same time', wholeNumber(1), Math.min(2, availableParallelism()))
  .option('--out <folder>', 'of the report; `report` when omitted')
  .option('--port <n>', 'of the Worker; the next free one is taken', wholeNumber(1), 8789)
  .action(start);

async function start(names: readonly string[], flags: Flags): Promise<void> {
  const folder = flags.out ?? (flags.quick ? 'dist/report' : 'docs/experiments/results');
  if (!flags.draw) await measure(names, flags, folder);
  console.log(`wrote ${await writeReport(folder)}`);
}

async function measure(names: readonly string[], { quick, jobs, port }: Flags, out: string): Promise<void> {
  const chosen = chooseExperiments(names);
  const server = chosen.some(({ name }) => name === asking) ? startServer(port) : undefined;
  using screen = showProgress();
  const argsOf = async (name: string): Promise<readonly string[]> => {
    const served = name === asking ? (await server)?.url : undefined;
    return [JSON.stringify({ name, quick, out, served } satisfies OneExperiment)];
  };
  try {
    const work = chosen.map((experiment) => ({ experiment, args: () => argsOf(experiment.name) }));
    await runInProcesses(join(import.meta.dirname, 'one.ts'), work, jobs, screen);
  } finally {
    await (await server)?.stop();
  }
}

/** Starts the Worker. Without one, the experiment that asks it says so in the report. */
async function startServer(port: number): Promise<Server | undefined> {
  try {
    return await serveDigits(port);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

await runCommand(command);
