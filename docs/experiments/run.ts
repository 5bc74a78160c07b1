/** Runs one experiment and stores all its numbers. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from './experiment.ts';
import { type LabOptions, openLab } from './lab/lab.ts';

/** Holds the contents of a file `<experiment>.json`. */
export interface Recorded {
  readonly experiment: string;
  readonly quick: boolean;
  /** Names the engine, its version and its number of threads. */
  readonly engine: string;
  readonly results: unknown;
}

export async function runExperiment({ name, measure }: Experiment, options: LabOptions): Promise<Recorded> {
  const lab = await openLab(options);
  const results = await measure(lab);
  return { experiment: name, quick: options.quick, engine: lab.backend.engine, results };
}

const fileOf = (folder: string, name: string): string => join(folder, `${name}.json`);

export async function saveRecord(folder: string, record: Recorded): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(fileOf(folder, record.experiment), `${JSON.stringify(record, shortNumbers)}\n`);
}

/** @returns undefined when it has not been run */
export async function loadRecord(folder: string, { name }: Experiment): Promise<Recorded | undefined> {
  const text = await readFile(fileOf(folder, name), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Recorded);
}

/** Rounds to seven significant digits, which is what a float32 carries. */
const shortNumbers = (_key: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(7)) : value;
