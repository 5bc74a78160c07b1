/**
 * Tells once when a model begins or ceases to drift: in the log, and to a webhook where one is configured. Windows are
 * assessed while they fill, but only whenever their samples have doubled, because each look is another chance of a
 * false alarm.
 */
import { assess, type Assessment, type Reference } from './assess.ts';
import { minSamples } from './thresholds.ts';
import type { DriftWindow } from './window.ts';

/** The payload that reports a crossing. */
export interface Crossing {
  readonly event: 'drift';
  readonly model: string;
  readonly version: string;
  readonly drifted: boolean;
  /** The start of the window: milliseconds since 1970, at a full hour. */
  readonly start: number;
  readonly samples: number;
  readonly score: number;
  /** Lists what differs most: layers and columns by their names, and `classes`. */
  readonly worst: readonly { readonly name: string; readonly score: number }[];
}

/** Is true when a window that grew from `before` to `after` samples is due for a look: at 200, 400, 800 and so on. */
export const isLook = (before: number, after: number): boolean => looks(after) > looks(before);

const looks = (samples: number): number => (samples < minSamples ? 0 : 1 + Math.floor(Math.log2(samples / minSamples)));

/** Keeps the last verdict on each version. */
export interface VerdictKeeper {
  /**
   * Stores a verdict.
   * @returns whether it differs from the stored one; a version without a stored verdict counts as not drifted
   */
  recordVerdict(version: string, drifted: boolean): Promise<boolean>;
}

const shownDifferences = 5;

/** @returns the crossing to report if the verdict on the window differs from the last one */
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

/** The timeout of the webhook, in milliseconds. */
const patience = 5000;

/**
 * Writes the crossing to the log and posts it to the webhook. A failure to post is logged as well, without the address:
 * it may hold a secret.
 */
export async function announce(crossing: Crossing, webhook: string | undefined): Promise<void> {
  const line = JSON.stringify(crossing);
  console.warn(line);
  if (webhook === undefined || webhook === '') return;
  const error = await post(webhook, line);
  if (error !== undefined) console.error(JSON.stringify({ event: 'drift webhook', model: crossing.model, error }));
}

/** @returns what went wrong, if anything did */
async function post(webhook: string, line: string): Promise<string | undefined> {
  if (!/^https?:$/.test(URL.parse(webhook)?.protocol ?? '')) {
    return 'expected an address as in https://hooks.example/drift in DRIFT_WEBHOOK, got another value';
  }
  try {
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(patience);
    // Following a redirect would turn the POST into a GET without a body.
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
