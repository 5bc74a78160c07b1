/**
 * `npm run bench:drift -- [--only pictures|tables] [--windows 1000] [--json file]` measures how often drift is reported
 * for traffic without drift, in windows drawn from samples that no network was trained on, and how many samples it
 * takes until drift is reported for traffic with drift.
 */
import { Command } from 'commander';
import { nativeBackend } from '../../../training/backend/index.ts';
import { unexpected } from '../../../training/files/index.ts';
import { describeLoad, describeMachine } from '../machine.ts';
import { type Measurement, writeMeasurements } from '../measurement.ts';
import { pictures } from './pictures.ts';
import { tables } from './tables.ts';

interface Options {
  readonly only?: string;
  readonly windows: string;
  readonly json?: string;
}

const parts = { pictures, tables };

async function main({ only, windows, json }: Options): Promise<void> {
  const known = Object.keys(parts);
  if (only !== undefined && !known.includes(only)) throw unexpected('--only', known.join(' or '), only);
  console.log(`${describeMachine()}, ${describeLoad()}`);
  const backend = await nativeBackend({ threads: 1 });
  const found: Measurement[] = [];
  for (const [name, part] of Object.entries(parts)) {
    if (only !== undefined && only !== name) continue;
    found.push(...(await part(backend, Number(windows))));
    // The file is written after each part, so that stopping the rest loses nothing.
    if (json !== undefined) await writeMeasurements(json, found);
  }
}

const command = new Command()
  .option('--only <part>', 'pictures or tables')
  .option('--windows <count>', 'of traffic without drift, of each size', '1000')
  .option('--json <file>', 'the figures as [{name, value, unit}, …]')
  .parse();
await main(command.opts());
process.exit(0);
