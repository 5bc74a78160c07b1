/** Command line: specialises ONNX Runtime Web to a folder of ONNX files, for a Cloudflare Worker. */

import Table from 'cli-table3';
import { Command } from 'commander';

import type { EdgeImage } from '../edge/image.ts';
import { buildEdge } from '../edge/pipeline.ts';
import { comparisonRows } from '../edge/report.ts';
import type { Models } from '../edge/runtime/index.ts';
import { readStockModule } from '../edge/stages/stock-module.ts';

interface Options {
  readonly models: string;
  readonly out: string;
  readonly trim: boolean;
  readonly table: boolean;
}

async function main({ models, out, trim, table }: Options): Promise<void> {
  const stock = process.env['EDGE_RUNTIME'] === 'stock';
  const start = performance.now();
  const built = await buildEdge({ modelsFolder: models, outFolder: out, stock, trim, onStage: reportStage });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (built.upToDate) {
    console.log(`edge image: ${out} is up to date`);
    return;
  }
  console.log(`edge image: ${stock ? 'stock runtime' : 'specialised runtime'} written to ${out} in ${seconds} s`);
  if (!built.image) return;
  console.log(`${built.image.verifiedCases} cases verified: the same bits, the same errors`);
  if (table) console.log(await comparison(built.models, built.image));
}

async function comparison(models: Models, image: EdgeImage): Promise<string> {
  const view = new Table({
    head: ['', 'stock', 'bn-edge'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  view.push(...(await comparisonRows(await readStockModule(), models, image)));
  return view.toString();
}

function reportStage(stage: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\redge image: ${stage.padEnd(12)}\r`);
}

try {
  await new Command('edge')
    .description('Specialise ONNX Runtime Web to the ONNX files of a folder, for a Cloudflare Worker.')
    .option('--models <folder>', 'folder of ONNX files, searched to any depth', 'dist/models')
    .option('--out <folder>', 'where edge.mjs, edge.wasm and edge.d.mts go', 'dist/edge')
    .option('--trim', 'also drop pages of memory that nothing read while every case was performed', false)
    .option('--table', 'measure what was built, beside stock', false)
    .addHelpText('after', '\nWith EDGE_RUNTIME=stock in the environment, the unmodified runtime is written instead.')
    .action(main)
    .parseAsync();
} catch (error) {
  const internal = !(error instanceof Error) || error.message.startsWith('internal:');
  console.error(internal ? error : error.message);
  process.exitCode = 1;
}
