/**
 * `npm run bench:outgrow -- [--rows 1000000]` scores a file of raw columns on Ray Data with two workers, beside
 * `evaluate --predictions` on the same rows. It fails where a class differs, or a probability by more than 1e-6.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { createRandom } from '../../../training/data/index.ts';

const WORKERS = 2;
/** The written probabilities have six digits. */
const TOLERANCE = 1e-6;

const here = import.meta.dirname;
const environment = join('.test', 'outgrow');
const python = join(environment, 'bin', 'python');
const folder = join(environment, 'work');
const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
const rows = Number(values.rows);

prepare();
const [train, table] = [join(folder, 'train.csv'), join(folder, 'rows.csv')];
await writeTable(train, 2000, true);
await writeTable(table, rows, false);
const command = join('dist', 'exporter', 'command', 'main.js');
const bnEdge = (...args: readonly string[]) => execFileSync('node', [command, ...args], { encoding: 'utf8' });
const run = join(folder, 'run');
bnEdge('train', train, '--label', 'left', '--ignore', 'row', '--epochs', '3', '--out', run, '--overwrite');
const model = join(folder, 'columns.onnx');
console.log(bnEdge('export', run, '--inputs', 'columns', '--out', model));
const ours = join(folder, 'ours.csv');
const start = performance.now();
bnEdge('evaluate', run, '--data', table, '--part', 'all', '--predictions', ours);
const seconds = (performance.now() - start) / 1000;
const theirs = join(folder, 'ray');
const printed = execFileSync(python, [join(here, 'score.py'), model, table, theirs, String(WORKERS)], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const ray = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as { readonly rows: number; readonly seconds: number };

const { compared, otherClasses, largestDifference } = await compare(ours, `${theirs}.csv`);
console.log(`${describeMachine()}
${compared} rows: ${otherClasses} of another class, largest difference of a probability ${largestDifference.toExponential(1)}
evaluate --predictions ${seconds.toFixed(1)} s, Ray Data with ${WORKERS} workers ${ray.seconds.toFixed(1)} s (its start not counted)`);
if (compared !== rows || otherClasses > 0 || !(largestDifference <= TOLERANCE)) process.exitCode = 1;

/** Installs Ray and ONNX Runtime into a virtual environment of their own. */
function prepare(): void {
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  const quiet = ['--quiet', '--disable-pip-version-check', '-r', join(here, 'requirements.txt')];
  execFileSync(python, ['-m', 'pip', 'install', ...quiet], { stdio: ['ignore', 'inherit', 'ignore'] });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

/** Writes categories, numbers and dates with gaps, numbered by the lines of the file. */
async function writeTable(path: string, count: number, isLabelled: boolean): Promise<void> {
  const { uniform } = createRandom(isLabelled ? 1 : 2);
  const below = (n: number) => Math.floor(uniform() * n);
  const two = (n: number) => String(n).padStart(2, '0');
  const file = createWriteStream(path);
  file.write(`row,plan,seats,since,news${isLabelled ? ',left' : ''}\n`);
  for (let row = 0; row < count; row++) {
    const plan = ['Free', 'Pro', 'Enterprise', ''][below(4)] ?? '';
    const seats = uniform() < 0.2 ? '' : (uniform() * 40).toFixed(1);
    const day = `${2018 + below(7)}-${two(1 + below(12))}-${two(1 + below(28))} ${two(below(24))}:${two(below(60))}`;
    const cells = [row + 2, plan, seats, uniform() < 0.1 ? '' : day, uniform() < 0.5 ? 'yes' : 'no'];
    const left = (plan === 'Free') !== uniform() < 0.2 ? 'yes' : 'no';
    const isRoom = file.write(`${[...cells, ...(isLabelled ? [left] : [])].join(',')}\n`);
    if (!isRoom) await once(file, 'drain');
  }
  await once(file.end(), 'finish');
}

async function compare(ours: string, theirs: string) {
  const other = linesOf(theirs);
  let [compared, otherClasses, largestDifference] = [-1, 0, 0];
  for await (const line of linesOf(ours)) {
    const next = await other.next();
    if (++compared === 0) continue;
    const [number, , label, ...probabilities] = line.split(',');
    const [row, theirLabel, probability] = (next.value as string | undefined)?.split(',') ?? [];
    if (row !== number || theirLabel !== label) otherClasses++;
    const difference = Math.abs(Math.max(...probabilities.map(Number)) - Number(probability));
    largestDifference = Math.max(largestDifference, difference);
  }
  return { compared, otherClasses, largestDifference };
}

function linesOf(path: string): AsyncIterableIterator<string> {
  return createInterface({ input: createReadStream(path) })[Symbol.asyncIterator]();
}
