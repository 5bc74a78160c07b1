/** Finds which mutants the tests notice. A mutant counts as noticed only by a test that fails because of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mutant } from './mutants.ts';
import type { Event, Plan } from './plan.ts';
import type { Verdict } from './report.ts';

/** How long a process may say nothing before it is taken to be in an endless loop, in milliseconds. */
const patience = 120_000;

/** How the process of a run ended, and what it told. */
interface Run {
  readonly code: number | null;
  /** The process said nothing for too long and was killed. */
  readonly hung: boolean;
  readonly events: readonly Event[];
}

type Ran = Extract<Event, { readonly ran: string }>;

const failuresOf = ({ events }: Run): readonly Ran[] =>
  events.flatMap((event) => ('ran' in event && event.failed ? [event] : []));

/** Runs the tests of a plan in a process of their own. */
async function runTests(plan: Omit<Plan, 'events'>, folder: string): Promise<Run> {
  const path = join(folder, 'plan.json');
  const events = join(folder, 'events.jsonl');
  writeFileSync(path, JSON.stringify({ ...plan, events } satisfies Plan));
  writeFileSync(events, '');
  const bail = plan.awake === undefined || plan.awake < 0 ? '0' : '1';
  const options = ['run', '--config', 'test/mutation/vitest.config.ts', '--reporter', 'dot', '--bail', bail];
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...options], {
    env: { ...process.env, MUTATION_PLAN: path },
    stdio: 'ignore',
    detached: true,
  });
  const begin = Date.now();
  let hung = false;
  const watch = setInterval(() => {
    if (Date.now() - Math.max(begin, statSync(events).mtimeMs) < patience || child.pid === undefined) return;
    hung = true;
    process.kill(-child.pid, 'SIGKILL');
  }, 1000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  const lines = readFileSync(events, 'utf8').split('\n');
  return { code, hung, events: lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Event) };
}

/** What is known of the mutants so far. */
interface Knowledge {
  readonly verdicts: Map<number, Verdict>;
  readonly covered: Set<number>;
  /** The mutants that loading meets, or that no test could kill for sure: they are woken from the start. */
  readonly fromStart: Set<number>;
  /** The test files that meet a mutant. */
  readonly files: Map<number, Set<string>>;
  readonly slow: Set<string>;
}

function learn({ verdicts, covered, fromStart, files, slow }: Knowledge, events: readonly Event[]): void {
  const meet = (ids: readonly number[], file: string, as: Set<number>): void => {
    for (const id of ids) {
      as.add(id);
      files.set(id, (files.get(id) ?? new Set<string>()).add(file));
    }
  };
  for (const event of events) {
    if ('killed' in event) verdicts.set(event.killed, event.endless ? 'endless' : 'killed');
    if ('covered' in event) meet(event.covered, event.file, covered);
    if ('outside' in event) meet(event.outside, event.file, fromStart);
    if ('ran' in event && event.slow) slow.add(event.ran);
    if ('ran' in event && event.failed) console.log(`fails without a mutant, and kills none: ${event.ran}`);
    if (!('unsure' in event)) continue;
    console.log(`cannot be repeated: ${event.test}`);
    fromStart.add(event.unsure);
  }
}

/** Returns the mutant that was awake when the process ended. */
function cutOff(events: readonly Event[]): number | undefined {
  const last = events.findLast((event) => 'begins' in event || 'ends' in event);
  return last && 'begins' in last ? last.begins : undefined;
}

/** Wakes each mutant in turn within the tests that meet it. */
async function wakeWithin(mutants: readonly Mutant[], tests: readonly string[], folder: string): Promise<Knowledge> {
  const known: Knowledge = {
    verdicts: new Map(),
    covered: new Set(),
    fromStart: new Set(),
    files: new Map(),
    slow: new Set(),
  };
  // What ends a process once may be the machine's doing.
  const suspects = new Set<number>();
  for (;;) {
    const alive = [...mutants.keys()].filter((id) => !known.verdicts.has(id));
    const { code, hung, events } = await runTests({ mutants, alive, tests, skipped: [] }, folder);
    learn(known, events);
    const last = cutOff(events);
    if (last === undefined) {
      if (code === null || hung) throw new Error('mutation: the tests end before their time, with all mutants asleep');
      return known;
    }
    if (suspects.has(last) && !known.verdicts.has(last)) known.verdicts.set(last, 'endless');
    suspects.add(last);
  }
}

/**
 * Returns a function that wakes a mutant from the start of test files. Only a test that passes in the same files while
 * all mutants are asleep can kill it.
 */
function fromStartWith(
  mutants: readonly Mutant[],
  alive: readonly number[],
  slow: ReadonlySet<string>,
  folder: string,
): (awake: number, tests: readonly string[]) => Promise<Verdict | undefined> {
  const skips = new Map<string, readonly string[]>();
  const failing = async (tests: readonly string[], skipped: readonly string[]): Promise<readonly string[]> =>
    failuresOf(await runTests({ mutants, alive, awake: -1, tests, skipped }, folder)).map(({ ran }) => ran);
  const skipOf = async (tests: readonly string[]): Promise<readonly string[]> => {
    const failed = await failing(tests, [...slow]);
    if (failed.length === 0 || slow.size === 0) return [...slow, ...failed];
    // Some tests hold only after slow ones, which are then not left out.
    return failing(tests, []);
  };
  return async (awake, tests) => {
    const key = tests.join();
    const skipped = skips.get(key) ?? (await skipOf(tests));
    skips.set(key, skipped);
    const run = await runTests({ mutants, alive: [awake], awake, tests, skipped }, folder);
    const failures = failuresOf(run).filter(({ ran }) => !skipped.includes(ran));
    if (run.hung) return 'endless';
    if (failures.length > 0) return failures.every(({ endless }) => endless) ? 'endless' : 'killed';
    if (run.code !== 0) console.log(`ends with ${run.code} though no test fails, which kills none: ${tests.join(' ')}`);
    return undefined;
  };
}

/**
 * Wakes each mutant in turn within the tests that meet it, and again from the start those that loading meets. `quick`
 * leaves out the latter.
 */
export async function judge(
  mutants: readonly Mutant[],
  tests: readonly string[],
  quick: boolean,
): Promise<ReadonlyMap<number, Verdict>> {
  const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
  try {
    const { verdicts, covered, fromStart, files, slow } = await wakeWithin(mutants, tests, folder);
    const first = [...fromStart].filter((id) => !verdicts.has(id)).toSorted((a, b) => a - b);
    console.log(`${verdicts.size} killed within tests, ${first.length} to wake from the start`);
    const wake = fromStartWith(mutants, first, slow, folder);
    for (const id of first) {
      if (quick) {
        verdicts.set(id, covered.has(id) ? 'survived' : 'left out');
        continue;
      }
      // A file that several tests load is loaded for the first of them, so that others can notice the mutant too.
      const verdict = (await wake(id, [...(files.get(id) ?? [])])) ?? (await wake(id, tests));
      if (verdict) verdicts.set(id, verdict);
    }
    for (const id of mutants.keys()) {
      const met = covered.has(id) || fromStart.has(id);
      if (!verdicts.has(id)) verdicts.set(id, met ? 'survived' : 'not met');
    }
    return verdicts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
