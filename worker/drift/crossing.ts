/**
 * When a model begins or ceases to drift it is told once: in the log, and to an address where one is given. Windows are looked at while they
 * fill, but only whenever their samples have doubled: each look is a chance of a false alarm.
 */
import { assess, type Assessment, type Reference } from './assess.ts';
import { leastSamples } from './thresholds.ts';
import type { DriftWindow } from './window.ts';

/** What is told of a crossing. */
export interface Crossing {
  readonly event: 'drift';
  readonly model: string;
  readonly version: string;
  readonly drifted: boolean;
  /** Of the window: milliseconds since 1970, at a full hour. */
  readonly start: number;
  readonly samples: number;
  readonly score: number;
  /** What differs most: layers and columns by their names, and `classes`. */
  readonly worst: readonly { readonly name: string; readonly score: number }[];
}

/** Whether a window is to be looked at that has come from so many samples to so many: at 200, 400, 800 and so on. */
export const isLook = (before: number, after: number): boolean => looks(after) > looks(before);

const looks = (samples: number): number =>
  samples < leastSamples ? 0 : 1 + Math.floor(Math.log2(samples / leastSamples));

/** Where the last verdict on each version is kept. */
export interface VerdictKeeper {
  /** Keeps a verdict. @returns whether it is another than before; without one before, a version has not drifted */
  recordVerdict(version: string, drifted: boolean): Promise<boolean>;
}

const shownDifferences = 5;

/** @returns what there is to tell, where the verdict on the window is another than the last */
export async function crossingOf(
  { name, version }: { readonly name: string; readonly version: string },
  window: DriftWindow,
  reference: Reference,
  keeper: VerdictKeeper,
): Promise<Crossing | undefined> {
  const found = assess(window, reference);
  const { drifted, score } = found;
  if (drifted === null || !(await keeper.recordVerdict(version, drifted))) return undefined;
  const { start, samples } = window;
  return { event: 'drift', model: name, version, drifted, start, samples, score, worst: worstOf(found) };
}

function worstOf({ layers, columns, classes }: Assessment): Crossing['worst'] {
  const all = [...layers, ...columns, ...(classes ? [{ name: 'classes', score: classes.score }] : [])];
  return all
    .sort((a, b) => b.score - a.score)
    .slice(0, shownDifferences)
    .map(({ name, score }) => ({ name, score }));
}

/** What an address that does not answer may take, in milliseconds. */
const patience = 5000;

/**
 * Writes a line to the log, and tells the address. What goes wrong there is another line of the log, in which the address is not: it may
 * hold a secret.
 */
export async function announce(crossing: Crossing, webhook: string | undefined): Promise<void> {
  const line = JSON.stringify(crossing);
  console.warn(line);
  if (webhook === undefined || webhook === '') return;
  const error = await post(webhook, line);
  if (error !== undefined) console.error(JSON.stringify({ event: 'drift webhook', model: crossing.model, error }));
}

/** @returns what went wrong */
async function post(webhook: string, line: string): Promise<string | undefined> {
  if (!/^https?:$/.test(URL.parse(webhook)?.protocol ?? '')) {
    return 'expected an address as in https://hooks.example/drift in DRIFT_WEBHOOK, got another value';
  }
  try {
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(patience);
    // A redirection would make a GET without the line of it.
    const answer = await fetch(webhook, { method: 'POST', headers, body: line, redirect: 'manual', signal });
    await answer.body?.cancel();
    return answer.ok ? undefined : `expected status 2xx, got ${answer.status}`;
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return isLate
      ? `expected an answer in ${patience} ms, got none`
      : 'expected an answer, could not reach the address';
  }
}
