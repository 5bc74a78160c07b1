/**
 * `npm run bench:tables -- [--only penguins,heart] [--engines bn-edge,cat] [--tables folder] [--json file]` compares
 * `bn-edge train` on tables, with its defaults, with gradient boosting and other networks: on the same splits, every
 * engine on one thread. Tables with fewer than 2,000 rows have three splits, others have one.
 */
import { Command } from 'commander';
import { plainTable } from '../../../exporter/command/table.ts';
import { unexpected, UserError } from '../../../training/files/index.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { writeMeasurements } from '../measurement.ts';
import { preparePython, splitOf, type Table, tablesOf } from './data.ts';
import { engineOf, neuralPeers, peers } from './engines.ts';
import { type Figures, figuresOf, meanOf, measurementsOf, type Results, summaryOf } from './figures.ts';

interface Options {
  readonly tables?: string;
  readonly only?: readonly string[];
  readonly engines?: readonly string[];
  readonly neural?: true;
  readonly json?: string;
}

const all = ['bn-edge', ...peers, ...neuralPeers];

async function main({ tables: folder, only, engines: asked, neural, json }: Options): Promise<void> {
  const engines = asked ?? ['bn-edge', ...peers, ...(neural ? neuralPeers : [])];
  const strange = engines.find((engine) => !all.includes(engine));
  if (strange !== undefined) throw unexpected('--engines', all.join(', '), strange);
  console.log(`${describeMachine()}, ${describeLoad()}`);
  preparePython(engines.some((engine) => neuralPeers.some((one) => one === engine)));
  const known = await tablesOf(folder);
  const missing = only?.find((name) => !known.some((table) => table.name === name));
  if (missing !== undefined) throw unexpected('--only', known.map(({ name }) => name).join(', '), missing);
  const results = new Map<string, ReadonlyMap<string, Figures>>();
  for (const table of known.filter(({ name }) => only?.includes(name) ?? true)) {
    results.set(table.name, await measure(table, engines));
    // The file is written after each table, so that stopping the rest loses nothing.
    if (json !== undefined) await writeMeasurements(json, measurementsOf(results));
  }
  console.log(summaryTable(results));
}

const FEW_ROWS = 2000;

async function measure(table: Table, engines: readonly string[]): Promise<ReadonlyMap<string, Figures>> {
  const first = await splitOf(table, 0);
  const seeds = first.rows < FEW_ROWS ? [0, 1, 2] : [0];
  const splits = [first];
  for (const seed of seeds.slice(1)) splits.push(await splitOf(table, seed));
  const figures = new Map<string, Figures>();
  for (const engine of engines) {
    const values: Figures['values'][] = [];
    for (const [i, split] of splits.entries()) {
      const outcome = await engineOf(engine)(table, split, seeds[i] ?? 0).catch((error: unknown) => {
        const [line = ''] = String((error as { readonly stderr?: unknown }).stderr ?? error).trim().split('\n').slice(-1); // oxfmt-ignore
        console.log(`${table.name}: ${engine} failed: ${line}`);
      });
      if (outcome) values.push(figuresOf(split.parts.test, outcome));
    }
    if (values.length < splits.length) continue;
    const mean = meanOf(values);
    figures.set(engine, { rows: first.rows, isOfClasses: first.parts.test.task === 'classification', values: mean });
    const shown = Object.entries(mean).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
    console.log(`${table.name} (${first.rows} rows): ${engine}  ${shown.join('  ')}`);
  }
  return figures;
}

function summaryTable(results: Results): string {
  const columns = {
    error_over_best_tree_percent: 'error over best tree, %',
    log_loss_over_best_tree_percent: 'log loss',
    rank: 'rank',
    ece: 'ECE',
    cpu_seconds: 'CPU s',
    row_ms: 'row, ms',
    row_ms_onnx: 'as ONNX',
    bytes: 'kB',
  };
  const table = plainTable([`mean of ${results.size} tables`, ...Object.values(columns)]);
  for (const [engine, values] of summaryOf(results)) {
    const cells = Object.keys(columns).map((name) => {
      const value = values[name];
      if (value === undefined) return '';
      return name === 'bytes' ? String(Math.round(value / 1000)) : String(Number(value.toPrecision(3)));
    });
    table.push([engine, ...cells]);
  }
  return table.toString();
}

const list = (text: string): readonly string[] => text.split(',').map((name) => name.trim());

await new Command('bench:tables')
  .option('--tables <folder>', 'CSV files with a tables.json, in place of those of PyPI’s packages')
  .option('--only <names>', 'some of the tables', list)
  .option('--engines <names>', `some of ${all.join(', ')} (default: all but the last two)`, list)
  .option('--neural', 'RealMLP-TD and TabM-D of pytabkit, too, whose PyTorch takes some gigabytes')
  .option('--json <file>', 'where the figures go, too')
  .action((options: Options) =>
    main(options).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      console.error(error.message);
      process.exitCode = 1;
    }),
  )
  .parseAsync();
