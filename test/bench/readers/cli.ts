/** `npm run bench:readers -- [models/<name> …]` checks that other ONNX readers read an export, and answer the same. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { plainTable } from '../../../exporter/command/table.ts';
import { describeMachine } from '../machine.ts';

interface Row {
  readonly model: string;
  readonly reader: string;
  readonly difference?: number;
  readonly error?: string;
}

/** The tolerance for a logit; readers add in different orders. */
const tolerance = 1e-4;

const here = import.meta.dirname;
const environment = join('.test', 'readers');
const python = join(environment, 'bin', 'python');

const folders = process.argv.slice(2);
const models = folders.length > 0 ? folders : readdirSync('models').map((name) => join('models', name));
prepare();
const rows = execFileSync(python, [join(here, 'read.py'), ...models], { encoding: 'utf8' })
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);
const table = plainTable(['model', 'reader', 'largest difference'], ['model', 'reader']);
for (const { model, reader, difference, error } of rows)
  table.push([model, reader, error ?? difference?.toExponential(1) ?? '']);
console.log(`${describeMachine()}\n${table.toString()}`);
if (!rows.every(({ difference = Infinity }) => difference <= tolerance)) process.exitCode = 1;

/** Installs the readers into a virtual environment of their own. */
function prepare(): void {
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  const options = ['--quiet', '--disable-pip-version-check', '-r', join(here, 'requirements.txt')];
  execFileSync(python, ['-m', 'pip', 'install', ...options], { stdio: ['ignore', 'inherit', 'ignore'] });
}
