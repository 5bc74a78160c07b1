/**
 * Runs each test once as it is, which says which mutants it meets, and then once with each of those that is still
 * alive. A test that fails then has killed the mutant.
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
const slow = new Set(plan.slow);

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

export default class MutationRunner extends TestRunner {
  override onCollectStart(file: Parameters<TestRunner['onCollectStart']>[0]): void {
    super.onCollectStart(file);
    current = file.name;
  }

  override async onBeforeRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onBeforeRunSuite(suite);
    current = suite.file.name;
  }

  /** Runs a test in place of Vitest. */
  async runTask(test: RunnerTestCase): Promise<void> {
    const name = `${test.file.name}: ${test.name}`;
    if (plan.awake !== undefined) {
      if (!slow.has(name)) await TestRunner.getTestFn(test)();
      return;
    }
    met.clear();
    Object.assign(state, { steps: 0, test: true });
    const begin = performance.now();
    try {
      await TestRunner.getTestFn(test)();
    } catch (error) {
      tell({ failed: name });
      throw error;
    } finally {
      state.test = false;
    }
    const took = performance.now() - begin;
    if (took > longestFromStart) tell({ slow: name });
    const covered = [...met].filter((id) => alive.has(id));
    if (covered.length === 0) return;
    tell({ covered, file: test.file.name });
    if (took < longest) await this.killWith(test, name, covered, 20 * state.steps + 10_000);
  }

  private async killWith(test: RunnerTestCase, name: string, ids: readonly number[], most: number): Promise<void> {
    const killed: number[] = [];
    for (const id of ids) {
      tell({ begins: id });
      Object.assign(state, { awake: id, steps: 0, most, repeats: true });
      const error = await this.repeat(test);
      if (error === undefined) continue;
      killed.push(id);
      alive.delete(id);
      tell({ killed: id, by: name, endless: state.steps > most });
    }
    Object.assign(state, { awake: -1, steps: 0, most: Infinity });
    // A test that fails the second time, or after a mutant, has killed nothing for sure.
    if (killed.length > 0 && (await this.repeat(test)) !== undefined) tell({ unsure: killed, test: name });
    state.repeats = false;
  }

  /** Runs a test again, with what stands around each test; returns why it failed. */
  private async repeat(test: RunnerTestCase): Promise<unknown> {
    const suites = suitesAround(test.suite ?? test.file);
    const after: (() => unknown)[] = [];
    try {
      this.onBeforeTryTask(test, { retry: 0, repeats: 0 });
      for (const suite of suites) {
        for (const hook of TestRunner.getSuiteHooks(suite).beforeEach) {
          const undo: unknown = await hook(test.context, suite);
          if (typeof undo === 'function') after.push(undo as () => unknown);
        }
      }
      await TestRunner.getTestFn(test)();
      this.onAfterTryTask(test);
      return undefined;
    } catch (error) {
      return error ?? new Error('a test failed with nothing');
    } finally {
      for (const suite of suites.toReversed()) {
        for (const hook of TestRunner.getSuiteHooks(suite).afterEach) await hook(test.context, suite);
      }
      for (const undo of after) await undo();
    }
  }

  override onAfterRunFiles(files: Parameters<TestRunner['onAfterRunFiles']>[0]): void {
    super.onAfterRunFiles(files);
    for (const [file, ids] of metOutside) tell({ outside: [...ids], file });
  }
}
