/** Opens the lab that every experiment is given: MNIST, a backend, the amount to run, and a way to report progress. */
import { hash } from 'node:crypto';
import { type Backend, nativeBackend, type Session } from '../../../training/backend/index.ts';
import {
  type ClassificationDataset,
  inputStatistics,
  type InputStatistics,
  loadMnist,
  type MnistSplits,
  subset,
} from '../../../training/data/index.ts';
import { encodeModel } from '../../../training/graph/index.ts';
import { range } from './range.ts';

/**
 * Asks a served model for the logits of each image of one mini-batch, by fixed statistics or by the mini-batch's own.
 */
export type AskServed = (
  images: readonly Uint8Array[],
  statistics: 'running' | 'batch',
) => Promise<readonly Float32Array[]>;

export interface LabOptions {
  /** Is true for fewer repeats and steps, which show the direction of an effect but not its size. */
  readonly quick: boolean;
  /** The folder of the exported models. */
  readonly models: string;
  /** Asks the Worker's model `mnist-cnn`; without it, experiments leave that part out. */
  readonly askServed?: AskServed | undefined;
  /** Is called when a part of the work is done, with how much is done and how much is known to be ahead in all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Lab extends Omit<LabOptions, 'onProgress'> {
  /** Runs on one thread, which is the fastest for networks this small. */
  readonly backend: Backend;
  readonly data: MnistSplits;
  /**
   * Returns μ and σ² of a data set's inputs. They are cached, because a pass over the training set takes longer than
   * many a run.
   */
  readonly inputStatistics: (dataset: ClassificationDataset, per: 'channel' | 'feature') => InputStatistics;
  /** Picks the value of the mode: that of the whole measurement, or that of the quick one. */
  readonly pick: <T>(full: T, quick: T) => T;
  /** Returns the seeds of the repeats. */
  readonly seeds: (full: number, quick: number) => readonly number[];
  /** Does the work for one item after the other, and reports progress. */
  readonly each: <Item, Result>(
    items: readonly Item[],
    work: (item: Item) => Promise<Result>,
  ) => Promise<readonly Result[]>;
}

const splitSeed = 0;

export async function openLab(options: LabOptions): Promise<Lab> {
  const { quick, onProgress = () => undefined } = options;
  const pick = <T>(full: T, brief: T): T => (quick ? brief : full);
  const progress = { done: 0, total: 0 };
  return {
    ...options,
    backend: cachingSessions(await nativeBackend({ threads: 1 })),
    data: await loadMnist({ seed: splitSeed }),
    inputStatistics: cachedStatistics(),
    pick,
    seeds: (full, brief) => range(pick(full, brief)).map((i) => i + 1),
    each: async (items, work) => {
      progress.total += items.length;
      const results = [];
      for (const item of items) {
        results.push(await work(item));
        onProgress(++progress.done, progress.total);
      }
      return results;
    },
  };
}

function cachedStatistics(): Lab['inputStatistics'] {
  const known = { channel: new WeakMap<object, InputStatistics>(), feature: new WeakMap<object, InputStatistics>() };
  return (dataset, per) => {
    const statistics = known[per].get(dataset) ?? inputStatistics(dataset, per);
    known[per].set(dataset, statistics);
    return statistics;
  };
}

/** Returns the first `count` samples. */
export const firstOf = (dataset: ClassificationDataset, count: number): ClassificationDataset =>
  subset(dataset, Int32Array.from(range(count)));

/**
 * Wraps a backend so that it compiles every graph once: experiments run the same graph with many seeds and learning
 * rates. The sessions stay open for the next user and end with the process.
 */
function cachingSessions(backend: Backend): Backend {
  const sessions = new Map<string, Promise<Session>>();
  const remember = (key: string, create: () => Promise<Session>) => {
    const session = sessions.get(key) ?? create();
    sessions.set(key, session);
    return session.then(({ run }) => ({ run, release: () => Promise.resolve() }));
  };
  return {
    ...backend,
    createSession: (graph) => remember(digest(encodeModel(graph)), () => backend.createSession(graph)),
  };
}

const digest = (bytes: Uint8Array): string => hash('sha256', bytes);
