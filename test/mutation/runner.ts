/**
 * Runs each test once as it is, which says which mutants it meets, and then once with each of those that is still
 * alive. A test that fails then has killed the mutant if it passes while all sleep and fails with the mutant again.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { type RunnerTestCase, type RunnerTestSuite, TestRunner } from 'vitest';
import type { Event, Plan } from './plan.ts';

/** Tests that take longer alone, in milliseconds, are not repeated for every mutant. */
const longest = 1000;

/** Tests that take longer than this are not run for a mutant that needs a process of its own. */
const longestFromStart = 300;

const planFile = process.env['MUTATION_PLAN'] ?? '';
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as Plan;
const alive = new Set(plan.alive);
const skipped = new Set(plan.skipped);

const state = { awake: plan.awake ?? -1, steps: 0, most: Infinity, test: false, repeats: false };
const met = new Set<number>();
/** The mutants met outside of tests, by the test file that loads or prepares what meets them. */
const metOutside = new Map<string, Set<number>>();
let current = '';

Object.assign(globalThis, {
  __mutant(id: number): boolean {
    if (++state.steps > state.most) throw new Error('an endless loop');
    if (state.test) met.add(id);
    else if (!state.repeats) metOutside.set(current, (metOutside.get(current) ?? new Set<number>()).add(id));
    return id === state.awake;
  },
});

function tell(event: Event): void {
  appendFileSync(plan.events, `${JSON.stringify(event)}\n`);
}

const suitesAround = (suite: RunnerTestSuite | undefined): RunnerTestSuite[] =>
  suite ? [...suitesAround(suite.suite ?? (suite.file === suite ? undefined : suite.file)), suite] : [];

/** Tells whether a test ended at a limit, where no assertion failed. */
const atLimit = (error: unknown): boolean =>
  state.steps > state.most || (error instanceof Error && /^(Test|Hook) timed out in /.test(error.message));

/** Tells whether a test left itself out by `context.skip()`. */
const isSkip = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'VITEST_PENDING';

export default class MutationRunner extends TestRunner {
  override onCollectStart(file: Parameters<TestRunner['onCollectStart']>[0]): void {
    super.onCollectStart(file);
    current = file.name;
  }

  override async onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onBeforeRunSuite(suite);
    current = suite.file.name;
  }

  /** Tells which suites failed by themselves, as a file that cannot be loaded does. */
  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onAfterRunSuite(suite);
    this.tellSuite(suite);
  }

  private tellSuite(suite: RunnerTestSuite): void {
    const errors = suite.result?.errors ?? [];
    const name = suite === suite.file ? suite.name : `${suite.file.name}: ${suite.name}`;
    if (errors.length > 0) tell({ ran: name, failed: true, endless: errors.every(atLimit), slow: false });
  }

  /** Runs a test in place of Vitest. */
  async runTask(test: RunnerTestCase): Promise<void> {
    const name = `${test.file.name}: ${test.name}`;
    if (skipped.has(name)) return;
    met.clear();
    Object.assign(state, { steps: 0, test: true });
    const begin = performance.now();
    const ran = (error?: unknown): void => {
      const slow = performance.now() - begin > longestFromStart;
      tell({ ran: name, failed: error !== undefined, endless: atLimit(error), slow });
    };
    try {
      await TestRunner.getTestFn(test)();
    } catch (error) {
      if (!isSkip(error)) ran(error ?? new Error('a test failed with nothing'));
      throw error;
    } finally {
      state.test = false;
    }
    const took = performance.now() - begin;
    ran();
    const covered = [...met].filter((id) => alive.has(id));
    if (covered.length === 0 || plan.awake !== undefined) return;
    tell({ covered, file: test.file.name });
    if (took < longest) await this.killWith(test, name, covered, 100 * state.steps + 1_000_000);
  }

  private async killWith(test: RunnerTestCase, name: string, ids: readonly number[], most: number): Promise<void> {
    state.repeats = true;
    const repeat = async (awake: number): Promise<{ readonly failed: boolean; readonly endless: boolean }> => {
      Object.assign(state, { awake, steps: 0, most });
      const error = await this.repeat(test);
      return { failed: error !== undefined && !isSkip(error), endless: error !== undefined && atLimit(error) };
    };
    for (const id of ids) {
      tell({ begins: id });
      if ((await repeat(id)).failed) {
        const asleep = await repeat(-1);
        const again = asleep.failed ? asleep : await repeat(id);
        const sure = !asleep.failed && again.failed;
        if (sure) alive.delete(id);
        tell(sure ? { killed: id, by: name, endless: again.endless } : { unsure: id, test: name });
      }
      tell({ ends: id });
    }
    Object.assign(state, { awake: -1, steps: 0, most: Infinity, repeats: false });
  }

  /** Runs a test again, with what stands around each test; returns why it failed. */
  private async repeat(test: RunnerTestCase): Promise<unknown> {
    const suites = suitesAround(test.suite ?? test.file);
    const after: (() => unknown)[] = [];
    const failures: unknown[] = [];
    const attempt = async (run: () => unknown): Promise<void> => {
      try {
        await run();
      } catch (error) {
        failures.push(error ?? new Error('a test failed with nothing'));
      }
    };
    await attempt(async () => {
      this.onBeforeTryTask(test, { retry: 0, repeats: 0 });
      for (const suite of suites) {
        for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) {
          const undo: unknown = await hook(test.context, suite);
          if (typeof undo === 'function') after.push(undo as () => unknown);
        }
      }
      await TestRunner.getTestFn(test)();
      this.onAfterTryTask(test);
    });
    for (const suite of suites.toReversed()) {
      for (const hook of TestRunner.getSuiteHooks(suite).afterEach) await attempt(() => hook(test.context, suite));
    }
    for (const undo of after) await attempt(undo);
    return failures[0];
  }

  override onAfterRunFiles(files: Parameters<TestRunner['onAfterRunFiles']>[0]): void {
    super.onAfterRunFiles(files);
    // A file that cannot be loaded is no suite that runs.
    for (const file of files) if (file.tasks.length === 0) this.tellSuite(file);
    for (const [file, ids] of metOutside) tell({ outside: [...ids], file });
  }
}
