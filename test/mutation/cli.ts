/**
 * `npm run test:mutation -- training/graph [--sample 300] [--seed 1] [--only normalization]` changes the sources of a
 * room in small ways, one at a time, and lists the changes that no test notices.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { unexpected } from '../../training/files/index.ts';
import { compiling } from './compile.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import type { Event, Plan } from './plan.ts';
import { printReport, type Verdict } from './report.ts';

interface Room {
  /** The tests to which the room is entrusted, as globs; fast ones first. */
  readonly tests: readonly string[];
  readonly config: string;
}

const rooms: Readonly<Record<string, Room>> = {
  'training/graph': {
    tests: [
      'test/unit/graph/*.test.ts',
      'test/unit/exporter/import-model.test.ts',
      'test/unit/compile/{corners,onnx-nodes}.test.ts',
      'test/unit/hostile/attacks.test.ts',
      'test/unit/autodiff/*.test.ts',
    ],
    config: 'tsconfig.json',
  },
  'training/autodiff': { tests: ['test/unit/autodiff/*.test.ts'], config: 'tsconfig.json' },
  'training/data': {
    tests: ['test/unit/data/*.test.ts', 'test/unit/run/{folds,samples}.test.ts', 'test/unit/hostile/attacks.test.ts'],
    config: 'tsconfig.json',
  },
  'worker/predict': {
    tests: [
      'test/unit/worker/{calls,picture-samples,rows-as-trained,rows-by-name}.test.ts',
      'test/worker/{kinds,as-is,predict,prepared,rows,why}.test.ts',
    ],
    config: 'worker/tsconfig.json',
  },
};

interface Options {
  readonly sample?: string;
  readonly seed: string;
  readonly only?: string;
  readonly quick: boolean;
}

/** How long a process may say nothing before it is taken to be in an endless loop, in milliseconds. */
const patience = 120_000;

/** Takes every n-th of the mutants, from a place that the seed says: each file gets its share. */
function sampled(mutants: readonly Mutant[], size: number, seed: number): Mutant[] {
  const step = Math.max(1, mutants.length / size);
  // The fractions of multiples of the golden ratio lie evenly between 0 and 1.
  const begin = ((seed * 0.6180339887498949) % 1) * step;
  const places = Array.from({ length: Math.min(size, mutants.length) }, (_, i) => Math.floor(begin + i * step));
  return places.flatMap((i) => mutants[i % mutants.length] ?? []);
}

const filesOf = (globs: readonly string[]): string[] => globs.flatMap((glob) => globSync(glob).toSorted());

const readEvents = (path: string): Event[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);

/** Runs the tests of a plan in a process of their own; returns its exit code, or `null` for one that hung. */
async function runTests(plan: Plan, folder: string): Promise<number | null> {
  const path = join(folder, 'plan.json');
  writeFileSync(path, JSON.stringify(plan));
  writeFileSync(plan.events, '');
  const options = [
    'run',
    '--config',
    'test/mutation/vitest.config.ts',
    '--reporter',
    'dot',
    '--bail',
    plan.awake === undefined ? '0' : '1',
  ];
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...options], {
    env: { ...process.env, MUTATION_PLAN: path },
    stdio: 'ignore',
    detached: true,
  });
  const begin = Date.now();
  const watch = setInterval(() => {
    if (Date.now() - Math.max(begin, statSync(plan.events).mtimeMs) > patience && child.pid !== undefined)
      process.kill(-child.pid, 'SIGKILL');
  }, 1000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  return code;
}

/** Wakes each mutant in turn within the tests that meet it, and again from the start those that loading meets. */
async function judge(
  mutants: readonly Mutant[],
  tests: readonly string[],
  folder: string,
  quick: boolean,
): Promise<Map<number, Verdict>> {
  const verdicts = new Map<number, Verdict>();
  const covered = new Set<number>();
  const fromStart = new Set<number>();
  /** The test files that meet a mutant. */
  const files = new Map<number, Set<string>>();
  const meet = (ids: readonly number[], file: string, as: Set<number>): void => {
    for (const id of ids) {
      as.add(id);
      files.set(id, (files.get(id) ?? new Set<string>()).add(file));
    }
  };
  const slow = new Set<string>();
  const events = join(folder, 'events.jsonl');
  const alive = (): number[] => [...mutants.keys()].filter((id) => !verdicts.has(id));
  for (let code: number | null = null; code === null;) {
    code = await runTests({ mutants, alive: alive(), tests, slow: [], events }, folder);
    let last = -1;
    for (const event of readEvents(events)) {
      if ('failed' in event) console.log(`fails without a mutant, and kills none: ${event.failed}`);
      if ('begins' in event) last = event.begins;
      if ('killed' in event) verdicts.set(event.killed, event.endless ? 'endless' : 'killed');
      if ('covered' in event) meet(event.covered, event.file, covered);
      if ('outside' in event) meet(event.outside, event.file, fromStart);
      if ('slow' in event) slow.add(event.slow);
      if (!('unsure' in event)) continue;
      console.log(`cannot be repeated: ${event.test}`);
      for (const id of event.unsure) {
        verdicts.delete(id);
        fromStart.add(id);
      }
    }
    if (code === null && !verdicts.has(last)) verdicts.set(last, 'endless');
  }
  const first = alive().filter((id) => fromStart.has(id));
  console.log(`${verdicts.size} killed within tests, ${first.length} to wake from the start`);
  // Some tests hold only after slow ones, which are then not left out.
  const asleep = { mutants, alive: [], awake: -1, tests, slow: [...slow], events };
  if (!quick && first.length > 0 && (await runTests(asleep, folder)) !== 0) slow.clear();
  for (const awake of first) {
    if (quick) {
      verdicts.set(awake, covered.has(awake) ? 'survived' : 'left out');
      continue;
    }
    const code = await runTests(
      { mutants, alive: [], awake, tests: [...(files.get(awake) ?? [])], slow: [...slow], events },
      folder,
    );
    if (code !== 0) verdicts.set(awake, code === null ? 'endless' : 'killed');
  }
  for (const id of alive()) verdicts.set(id, covered.has(id) || fromStart.has(id) ? 'survived' : 'not met');
  return verdicts;
}

async function main(name: string, { sample, seed, only = '', quick }: Options): Promise<void> {
  const room = rooms[name];
  if (!room) throw unexpected('mutation', Object.keys(rooms).join(', '), name);
  const names = filesOf([`${name}/**/*.ts`]).filter((file) => file.includes(only));
  const sources = new Map(names.map((file) => [file, readFileSync(file, 'utf8')]));
  const all = [...sources].flatMap(([file, source]) => mutantsOf(file, source));
  const chosen = sampled(all, Number(sample ?? all.length), Number(seed));
  console.log(`${all.length} mutants in ${names.length} files, of which ${chosen.length} are tried`);
  const mutants = compiling(chosen, room.config, sources);
  console.log(`${mutants.length} of them compile`);
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  try {
    printReport(mutants, await judge(mutants, filesOf(room.tests), folder, quick), sources);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await new Command('mutation')
  .description('Change a room in small ways, one at a time, and list the changes that no test notices.')
  .argument('<room>', Object.keys(rooms).join(', '))
  .option('--sample <n>', 'how many mutants to try; all when omitted')
  .option('--seed <n>', 'which of them', '1')
  .option('--only <text>', 'files with this in their path')
  .option('--quick', 'leave out mutants in what runs when a file is loaded: each takes a process of its own', false)
  .action(main)
  .parseAsync();
