/**
 * Counts what is asked of monitored models: some requests are run once more when their answers are on the way, and what they have in
 * common is added up in the isolate until a Durable Object gets it. An answer is neither changed, nor delayed, nor refused by any of it;
 * what an isolate has not sent when it ends is lost.
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
   * One request in so many is counted, for each isolate: a second run costs up to 1.5 times the first.
   * @default 64
   */
  readonly every?: number;
  /**
   * A request is counted all the same where none was for so long, in milliseconds: where little is asked, more of it is counted.
   * @default 15000
   */
  readonly atLeastEveryMs?: number;
  /**
   * Sums are sent when they are of so many samples,
   * @default 256
   */
  readonly flushSamples?: number;
  /**
   * or so old, in milliseconds; at most 25000: a Worker may work on for 30 seconds after an answer.
   * @default 10000
   */
  readonly flushMs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

interface Watched {
  /** Requests since the last one that was counted. */
  passed: number;
  /** When that was. */
  last: number;
}

const waiting = (milliseconds: number): Promise<unknown> =>
  new Promise((resolve) => void setTimeout(resolve, milliseconds));

/** Of one isolate, which may have several for as many apps. */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const { every = 64, atLeastEveryMs = 15_000, flushSamples = 256, flushMs = 10_000 } = options;
  const { now = Date.now, wait = waiting } = options;
  checkNumbers({ every, atLeastEveryMs, flushSamples, flushMs });
  const watched = new WeakMap<Model, Watched>();
  const told = new Set<string>();
  /** By model, version and window: a few, as long as none is sent. */
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

  /** What cannot be sent is given up: it may have arrived, and nothing is to be counted twice. */
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

  /** Of one model: what fails for it keeps no other from being counted. */
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
    // Another request may be waiting to send them, unless it was ended.
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

/** From where to where an option may be: a Worker that waits longer is ended, and its sums are lost. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  every: [1, Infinity],
  atLeastEveryMs: [0, Infinity],
  flushSamples: [1, Infinity],
  flushMs: [0, 25_000],
};

function checkNumbers(options: Readonly<Record<string, unknown>>): void {
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = options[name];
    if (typeof value === 'number' && value >= least && value <= most) continue;
    const range = most === Infinity ? `${least} on` : `${least} to ${most}`;
    throw new TypeError(`createMonitor: ${name}: expected a number from ${range}, got ${describe(value)}`);
  }
}

const noBinding =
  'expected the binding DRIFT of the class DriftMonitor, got none (bn-edge init --monitor tells what wrangler.toml needs)';
