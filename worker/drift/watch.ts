/**
 * Counts the requests to monitored models. Some requests are run a second time when their answers are on the way, and
 * their sums are collected in the isolate until a Durable Object gets them. None of this changes, delays or refuses an
 * answer. Sums that an isolate has not sent when it ends are lost.
 */
import { describe } from '../http/errors.ts';
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import { lookAt } from './look.ts';
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

interface Watched {
  /** Counts the requests since the last one that was counted. */
  passed: number;
  /** The time of that request, in milliseconds since 1970. */
  last: number;
}

const waiting = (milliseconds: number): Promise<unknown> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Creates a monitor. Its state is that of one isolate; an isolate with several apps may have several monitors. */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const { every = 64, atLeastEveryMs = 15_000, flushSamples = 256, flushMs = 10_000 } = options;
  const { now = Date.now, wait = waiting } = options;
  checkNumbers({ every, atLeastEveryMs, flushSamples, flushMs });
  const watched = new WeakMap<Model, Watched>();
  const told = new Set<string>();
  /** Holds the sums that are not sent yet, a few by model, version and window. */
  let buffer = new Map<string, { readonly model: Model; readonly sums: Sums }>();
  let flushing: number | undefined;

  const tellOnce = (what: string): void => {
    if (told.has(what)) return;
    told.add(what);
    console.warn(`monitor: ${what}; answers are not counted`);
  };

  const telling = (model: Model, work: () => Promise<void>): Promise<void> =>
    work().catch((error: unknown) => {
      tellOnce(`${model.path}: ${error instanceof Error ? error.message : String(error)}`);
    });

  const isDue = (model: Model): boolean => {
    const at = now();
    const state = watched.get(model) ?? { passed: Infinity, last: at };
    watched.set(model, state);
    // A clock may go backwards.
    const isLongAgo = at - state.last >= atLeastEveryMs || at < state.last;
    if (++state.passed < every && !isLongAgo) return false;
    state.passed = 0;
    state.last = at;
    return true;
  };

  const count = (model: Model, feeds: ReadonlyMap<string, Tensor>, unknown: readonly UnknownCategory[]): number => {
    const start = Math.floor(now() / windowMs) * windowMs;
    const { name, version } = model;
    const sums = { version, start, ...tally(model, feeds, unknown) };
    const key = JSON.stringify([name, version, start]);
    const all = joined(buffer.get(key)?.sums, sums);
    if (all.samples > 0) buffer.set(key, { model, sums: all });
    return [...buffer.values()].reduce((total, { sums: { samples } }) => total + samples, 0);
  };

  /** Sends all sums. Sums that fail to be sent are dropped: they may have arrived, and nothing may be counted twice. */
  const flush = async (env: Env | undefined): Promise<void> => {
    const byModel = Map.groupBy(buffer.values(), ({ model }) => model);
    buffer = new Map();
    const sent = Array.from(byModel, ([model, parts]) =>
      send(
        model,
        env,
        parts.map(({ sums }) => sums),
      ),
    );
    await Promise.all(sent);
  };

  /** Sends the sums of one model, so that its failure does not affect the others. */
  const send = (model: Model, env: Env | undefined, sums: readonly Sums[]): Promise<void> =>
    telling(model, async () => {
      const store = storeOf(env, model.name);
      if (!store) throw new Error(noBinding);
      const progress = await store.add(sums, await digestOf(model));
      await lookAt(model, progress, store, env?.DRIFT_WEBHOOK);
    });

  const work = async (
    model: Model,
    env: Env | undefined,
    feeds: ReadonlyMap<string, Tensor>,
    unknown: readonly UnknownCategory[],
  ): Promise<void> => {
    // The answer goes first.
    await wait(0);
    if (count(model, feeds, unknown) >= flushSamples) return flush(env);
    // Another request may be waiting to send them already, unless the platform has ended it.
    if (flushing !== undefined && Math.abs(now() - flushing) < 2 * flushMs) return;
    flushing = now();
    await wait(flushMs);
    flushing = undefined;
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
          tellOnce(noBinding);
          return;
        }
        const kept = new Map(Array.from(feeds, ([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]));
        later(telling(model, () => work(model, env, kept, unknown)));
      },
  };
}

/** Maps each option to its minimum and maximum: a Worker that waits longer is ended, and its sums are lost. */
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
  'expected the binding DRIFT of the class DriftMonitor, got none (bn-edge init --monitor tells what wrangler.toml needs)';
