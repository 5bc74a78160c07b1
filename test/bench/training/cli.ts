/** `npm run bench:training -- --help` */
import { Command, Option } from 'commander';
import { availableParallelism } from 'node:os';
import { positive, wholeNumber } from '../../../exporter/command/option-values.ts';
import { runCommand } from '../../../exporter/command/run-command.ts';
import { describeLoad, describeMachine, isBusy } from '../machine.ts';
import { type Measurement, writeMeasurements } from '../measurement.ts';
import type { Study } from './bench.ts';
import { type EngineName, engines } from './engines.ts';
import { accuracy, memoryGrowth, recipes, toAccuracy } from './learning.ts';
import { ProblemFiles } from './problem-files.ts';
import { scale } from './scale.ts';
import { speed } from './speed.ts';

interface Flags {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly threads: number;
  readonly engines: readonly EngineName[];
  readonly filter: string;
  readonly quick?: true;
  readonly json?: string;
  readonly accuracy?: true;
  readonly toAccuracy?: true;
  readonly recipes?: true;
  readonly memoryGrowth?: true;
}

const command = new Command('bench:training')
  .description('Measure the speed of training beside other engines, and how its cost grows.')
  .option('--rounds <n>', 'each measures everything once, in alternating order; medians count', wholeNumber(1), 5)
  .option('--seconds <n>', 'that a measurement lasts', positive, 3)
  .option('--warm-up <n>', 'seconds of training before that', positive, 1)
  .option('--threads <n>', 'for engines that have them', wholeNumber(1), availableParallelism())
  .addOption(
    new Option('--engines <names...>', 'only these').choices(Object.keys(engines)).default(Object.keys(engines), 'all'),
  )
  .option('--filter <regex>', 'only measurements with such a name', '')
  .option('--quick', 'one short round, to see that all works')
  .option('--accuracy', 'instead: test accuracy after one epoch with each engine')
  .option('--to-accuracy', 'instead: seconds to 99 % test accuracy, median of 5 seeds')
  .option('--recipes', 'instead: test accuracy of training that takes its time, mean of 3 seeds')
  .option('--memory-growth', 'instead: resident memory over 20 epochs')
  .option('--json <file>', 'write the measurements as [{name, value, unit}]')
  .action(run);

async function run(flags: Flags): Promise<void> {
  console.log(describeMachine());
  console.log(`${describeLoad()} at the start`);
  if (isBusy())
    console.log('Others use this machine: engines with several threads suffer most, do not believe ratios.');
  const problems = new ProblemFiles();
  const filter = new RegExp(flags.filter);
  const bench = {
    ...flags,
    ...(flags.quick && { rounds: 1, seconds: 0.5, warmUp: 0.1 }),
    engines: await usableEngines(flags.engines),
    problems,
    wanted: (name: string) => filter.test(name),
  };
  const measurements: Measurement[] = [];
  for (const study of studiesOf(flags)) measurements.push(...(await study(bench)));
  if (flags.json !== undefined) await writeMeasurements(flags.json, measurements);
  console.log(`${describeLoad()} at the end`);
}

function studiesOf(flags: Flags): readonly Study[] {
  const chosen = [
    ...(flags.accuracy ? [accuracy] : []),
    ...(flags.toAccuracy ? [toAccuracy] : []),
    ...(flags.recipes ? [recipes] : []),
    ...(flags.memoryGrowth ? [memoryGrowth] : []),
  ];
  return chosen.length > 0 ? chosen : [speed, scale];
}

async function usableEngines(names: readonly EngineName[]): Promise<readonly EngineName[]> {
  const usable: EngineName[] = [];
  for (const name of names) {
    const obstacle = await engines[name].prepare();
    if (obstacle === undefined) usable.push(name);
    else console.log(`${name}: ${obstacle}: skipped`);
  }
  return usable;
}

// Exit handlers, which remove temporary files, run only when the process exits by itself.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
await runCommand(command);
