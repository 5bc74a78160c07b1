/**
 * Reports once when a model begins or ceases to drift: in the log, and to a webhook where one is configured. Windows are
 * assessed while they fill, but only whenever their samples have doubled, because each assessment is another chance of
 * a false alarm.
 */
import type { Model } from '../models.ts';
import { assess, type Assessment, type Reference } from './assess.ts';
import { referenceOf } from './reference.ts';
import { minSamples } from './thresholds.ts';
import type { DriftReader, DriftWindow } from './window.ts';

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

/** The growth of a window. */
export interface Progress {
  readonly version: string;
  readonly start: number;
  /** `before` and `after` count the window's samples. */
  readonly before: number;
  readonly after: number;
}

/** Keeps the last verdict on each version. */
export interface VerdictKeeper {
  /**
   * Stores a verdict.
   * @returns whether it differs from the stored one; a version without a stored verdict counts as not drifted
   */
  recordVerdict(version: string, drifted: boolean): Promise<boolean>;
}

/**
 * Assesses the windows that are due, and announces each crossing.
 * @param webhook the address to which a crossing is posted
 */
export async function assessProgress(
  model: Model,
  progress: readonly Progress[],
  keeper: DriftReader & VerdictKeeper,
  webhook: string | undefined,
): Promise<void> {
  const reference = referenceOf(model);
  if (!reference) return;
  for (const { version, start, before, after } of progress) {
    if (version !== model.version || assessmentsBy(after) === assessmentsBy(before)) continue;
    const [window] = await keeper.windows({ version, from: start, to: start + 1 });
    const crossing = window && (await crossingOf(model, window, reference, keeper));
    if (crossing) await announce(crossing, webhook);
  }
}

/** Counts the assessments that are due by this number of samples: at 200, 400, 800 and so on. */
const assessmentsBy = (samples: number): number =>
  samples < minSamples ? 0 : 1 + Math.floor(Math.log2(samples / minSamples));

const shownDifferences = 5;

/** @returns the crossing to report if the verdict on the window differs from the last one */
async function crossingOf(
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

const webhookTimeoutMs = 5000;

/**
 * Writes the crossing to the log and posts it to the webhook. A failure to post is logged as well, without the address:
 * it may hold a secret.
 */
async function announce(crossing: Crossing, webhook: string | undefined): Promise<void> {
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
    const signal = AbortSignal.timeout(webhookTimeoutMs);
    // Following a redirect would turn the POST into a GET without a body.
    const answer = await fetch(webhook, { method: 'POST', headers, body: line, redirect: 'manual', signal });
    await answer.body?.cancel();
    return answer.ok ? undefined : `expected status 2xx, got ${answer.status}`;
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return isLate
      ? `expected an answer in ${webhookTimeoutMs} ms, got none`
      : 'expected an answer, could not reach the address';
  }
}
