/**
 * Counts the requests to monitored models. Some requests are run a second time when their answers are on the way, and
 * their sums are collected in the isolate until a Durable Object gets them. None of this changes, delays or refuses an
 * answer. Sums that an isolate has not sent when it ends are lost.
 */
import { describe } from '../errors.ts';
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import { assessProgress } from './crossing.ts';
import type { Monitor, UnknownCategory } from './monitor.ts';
import { digestOf } from './reference.ts';
import { metrics, report } from './reports.ts';
import { storeOf } from './store.ts';
import { joined, type Sums } from './sums.ts';
import { tally } from './tally.ts';
import { windowMs } from './window.ts';

export interface MonitorOptions {
  /**
   * Counts one request in `every`, for each isolate: a second run costs up to 1.5 times the first.
   * @default 64
   */
  readonly every?: number;
  /**
   * Counts a request all the same when none was counted for this time, in milliseconds, so that a model with few
   * requests has a larger share of them counted.
   * @default 15000
   */
  readonly atLeastEveryMs?: number;
  /**
   * Sends the sums when they are of this many samples.
   * @default 256
   */
  readonly flushSamples?: number;
  /**
   * Sends the sums when they are this old, in milliseconds; at most 25000, because a Worker may run for 30 seconds
   * after an answer.
   * @default 10000
   */
  readonly flushMs?: number;
  /** Returns the time in milliseconds since 1970. */
  readonly now?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

const delay = (milliseconds: number): Promise<unknown> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Creates a monitor. Its state is that of one isolate; an isolate with several apps may have several monitors. */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const { every = 64, atLeastEveryMs = 15_000, flushSamples = 256, flushMs = 10_000 } = options;
  const { now = Date.now, wait = delay } = options;
  checkNumbers({ every, atLeastEveryMs, flushSamples, flushMs });
  const isDue = throttled(every, atLeastEveryMs, now);
  const buffer = createBuffer();
  const warned = new Set<string>();
  /** The time at which a request began to wait for its turn to send the sums. */
  let waitingSince: number | undefined;

  const warnOnce = (what: string): void => {
    if (warned.has(what)) return;
    warned.add(what);
    console.warn(`monitor: ${what}; answers are not counted`);
  };

  const warnOnFailure = (model: Model, work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) => {
      warnOnce(`${model.path}: ${error instanceof Error ? error.message : String(error)}`);
    });

  /** Counts a run, and returns the number of samples that are not sent yet, of all models. */
  const count = (model: Model, feeds: ReadonlyMap<string, Tensor>, unknown: readonly UnknownCategory[]): number => {
    const start = Math.floor(now() / windowMs) * windowMs;
    return buffer.add(model, { version: model.version, start, ...tally(model, feeds, unknown) });
  };

  /** Sends all sums. Sums that fail to be sent are dropped: they may have arrived, and nothing may be counted twice. */
  const flush = async (env: Env | undefined): Promise<void> => {
    await Promise.all(Array.from(buffer.take(), ([model, sums]) => send(model, env, sums)));
  };

  /** Sends the sums of one model, so that its failure does not affect the others. */
  const send = (model: Model, env: Env | undefined, sums: readonly Sums[]): Promise<void> =>
    warnOnFailure(model, async () => {
      const store = storeOf(env, model.name);
      if (!store) throw new Error(noBinding);
      const progress = await store.add(sums, await digestOf(model));
      await assessProgress(model, progress, store, env?.DRIFT_WEBHOOK);
    });

  const countAndSend = async (
    model: Model,
    env: Env | undefined,
    feeds: ReadonlyMap<string, Tensor>,
    unknown: readonly UnknownCategory[],
  ): Promise<void> => {
    // The answer goes first.
    await wait(0);
    if (count(model, feeds, unknown) >= flushSamples) return flush(env);
    // Another request may be waiting to send them already, unless the platform has ended it.
    if (waitingSince !== undefined && Math.abs(now() - waitingSince) < 2 * flushMs) return;
    waitingSince = now();
    await wait(flushMs);
    waitingSince = undefined;
    await flush(env);
  };

  return {
    report,
    metrics,
    watch:
      (model, env, later) =>
      (feeds, unknown = []) => {
        if (!isDue(model)) return;
        if (!storeOf(env, model.name)) {
          warnOnce(noBinding);
          return;
        }
        const kept = new Map(Array.from(feeds, ([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
        later(warnOnFailure(model, () => countAndSend(model, env, kept, unknown)));
      },
  };
}

/** Holds what was counted last of the requests to a model. */
interface Throttle {
  /** Counts the requests since the last one that was counted. */
  skipped: number;
  /** The time of that request, in milliseconds since 1970. */
  lastCounted: number;
}

/** Returns a function that decides whether a request to a model is counted: the first one is. */
function throttled(every: number, atLeastEveryMs: number, now: () => number): (model: Model) => boolean {
  const throttles = new WeakMap<Model, Throttle>();
  return (model) => {
    const time = now();
    const throttle = throttles.get(model) ?? { skipped: Infinity, lastCounted: time };
    throttles.set(model, throttle);
    const { lastCounted } = throttle;
    // A clock may go backwards.
    const isLongAgo = time - lastCounted >= atLeastEveryMs || time < lastCounted;
    if (++throttle.skipped < every && !isLongAgo) return false;
    throttle.skipped = 0;
    throttle.lastCounted = time;
    return true;
  };
}

/** Holds the sums that are not sent yet, by model, version and window. */
function createBuffer() {
  let buffer = new Map<string, { readonly model: Model; readonly sums: Sums }>();
  return {
    /** Adds sums, and returns the number of samples in all of them. */
    add: (model: Model, added: Sums): number => {
      const key = JSON.stringify([model.name, added.version, added.start]);
      const sums = joined(buffer.get(key)?.sums, added);
      if (sums.samples > 0) buffer.set(key, { model, sums });
      return [...buffer.values()].reduce((total, each) => total + each.sums.samples, 0);
    },
    /** Empties the buffer, and returns what was in it. */
    take: (): ReadonlyMap<Model, readonly Sums[]> => {
      const byModel = new Map<Model, Sums[]>();
      for (const { model, sums } of buffer.values()) byModel.set(model, [...(byModel.get(model) ?? []), sums]);
      buffer = new Map();
      return byModel;
    },
  };
}

/** Maps each option to its minimum and maximum. The sums of a Worker that waits for more than 30 seconds are lost. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  every: [1, Infinity],
  atLeastEveryMs: [0, Infinity],
  flushSamples: [1, Infinity],
  flushMs: [0, 25_000],
};

function checkNumbers(options: Readonly<Record<string, unknown>>): void {
  for (const [name, [min, max]] of Object.entries(ranges)) {
    const value = options[name];
    if (typeof value === 'number' && value >= min && value <= max) continue;
    const range = max === Infinity ? `${min} on` : `${min} to ${max}`;
    throw new TypeError(`createMonitor: ${name}: expected a number from ${range}, got ${describe(value)}`);
  }
}

const noBinding =
  'expected the binding DRIFT of the class DriftMonitor, got none (bn-edge init --monitor adds it, or prints what wrangler.toml needs)';
