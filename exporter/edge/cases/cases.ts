/**
 * The cases that a deployed model is put through: every batch size, fill, output, error and memory limit that a request
 * can meet. Profiling performs them on the instrumented runtime, verification on the stock and the specialised one.
 */

import type { Runtime } from '../bundle.ts';
import type { SampleArray } from '../../store/samples.ts';
import { atTime } from '../stages/clock.ts';
import { takeFreeHeap } from '../stages/free-heap.ts';
import { nothingPinned, elementsOf, freeDimensions, makeFeeds } from './feeds.ts';
import type { Fill, Sizes, PinnedSizes } from './feeds.ts';
import { rawErrorCases } from './raw-calls.ts';
import { sampleBatches, sampleFeeds } from './samples.ts';
import type { Samples } from './samples.ts';
import type { KnownSizes, TakenSizes } from './sizes.ts';
import type { Session, SessionRecord, Started, Tensor, Tensors, ValueInfo } from '../runtime/index.ts';

/** A running runtime of any kind, and the code that runs it. */
export interface Subject extends Started {
  readonly runtime: Runtime;
}

/** The outputs of a run, or the message of its error. */
export type Outcome = Readonly<Record<string, Tensor>> | string;

export interface Case {
  readonly model: string;
  readonly label: string;
  /** `isReal` is true if the case runs on samples. Default: false. */
  readonly isReal?: boolean;
  readonly perform: (subject: Subject) => Outcome;
}

/** Holds what is known of the inputs that models accept, beside their shapes. */
export interface KnownInputs {
  readonly samples: Samples;
  readonly sizes: KnownSizes;
}

const batchSizes = [1, 2, 3, 7, 16, 64];
/** Caps the elements of a tensor: several free dimensions would otherwise make it astronomically large. */
const maxElements = 2 ** 22;
/** An empty batch, then larger ones until memory must grow, and until it cannot grow far enough. */
const largeBatchSizes = [0, 128, 512, 4096];
const fills: readonly Fill[] = ['pixels', 'unit', 'special'];
/** The pages by which memory may grow until a run meets the limit: each number stops the run at another allocation. */
const freePages = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256];
/** The memory that is free without growth, in multiples of the size of the inputs. */
const multiples = [1, 1.5, 2, 3, 5, 9];
/** Limits the elements of the largest input in these cases. */
const limitedElements = 2 ** 16;
/** Exceeds what the allocator keeps for itself beside a block. Bytes. */
const blockOverhead = 64;
/**
 * Number and size of blocks that stay free: an error needs memory for itself, in stock as well, or it ends the process.
 */
const [smallBlocks, smallBytes] = [64, 2_048];

/**
 * Milliseconds since 1970. A Worker's clock stands at 0 in the global scope, jumps at the first request, and may go
 * back.
 */
const clocks = [0, 1_700_000_000_000, 1_600_000_000_000, 4_000_000_000_000];

/** Returns all cases of all models of `subject`, model by model. They fit any subject with the same models. */
export function allCases(subject: Subject, { samples, sizes }: KnownInputs): readonly Case[] {
  return Object.keys(subject.sessions).flatMap((model) => {
    const session = sessionOf(subject, model);
    const alternatives = alternativesOf(sizes, model);
    const [first] = alternatives;
    return [
      ...sampleCases(model, session, samples[model]),
      ...clockCases(model, first),
      ...memoryLimitCases(model, first),
      ...alternatives.flatMap((pinned) => runCases(model, session, pinned)),
      ...outputCases(model, session, first),
      ...rawErrorCases(model),
    ];
  });
}

const alternativesOf = (sizes: KnownSizes, model: string): TakenSizes['alternatives'] =>
  sizes[model]?.alternatives ?? [nothingPinned];

/** Counts the sizes that are each run on an image that has not run anything else. */
const firstSizes = 24;
/** Limits the elements of all these inputs together. */
const firstElements = 2 ** 20;

/**
 * Runs many sizes, each as the first run of an image, then all of them one after the other: which branches a run takes
 * also depends on the tables that earlier runs have filled. These requests serve to find branches; only the cases above
 * are proofs.
 */
export function firstRequests(subject: Subject, { sizes }: KnownInputs): readonly Case[] {
  return Object.keys(subject.sessions).flatMap((model) => {
    const { inputs } = sessionOf(subject, model);
    const [pinned] = alternativesOf(sizes, model);
    if (freeDimensions(inputs, pinned.rank).every((name) => name in pinned.named)) return [];
    let elements = 0;
    const some = Array.from({ length: firstSizes }, (_, i) => ({ ...pinned, all: i + 1 })).filter(
      (one) => (elements += elementsOf(inputs, one)) <= firstElements,
    );
    const alone = some.map((one) => ({ ...runCase(model, one, 'pixels'), isFirst: true }));
    const others = some.map((one) => ({ ...runCase(model, one, 'unit'), isFirst: false }));
    return [...alone, ...others].map(({ isFirst, perform, ...one }) => ({
      ...one,
      perform: (subject) => {
        if (isFirst) subject.instance.restore?.();
        return perform(subject);
      },
    }));
  });
}

/**
 * Runs models that have several free dimensions on inputs that are empty along one of them, or along all. These
 * requests serve to find functions and branches. They prove nothing, since the standard does not define what empty
 * inputs are reduced to.
 */
export function emptyRequests(subject: Subject, { sizes }: KnownInputs): readonly Case[] {
  return Object.keys(subject.sessions).flatMap((model) => {
    const { inputs } = sessionOf(subject, model);
    const [pinned] = alternativesOf(sizes, model);
    const free = freeDimensions(inputs, pinned.rank).filter((name) => !(name in pinned.named));
    if (free.length < 2) return [];
    const empty = [{ all: 0 }, ...free.map((name) => ({ all: 2, named: { [name]: 0 } }))];
    return empty.map((one) => runCase(model, withPinned(pinned, one), 'pixels'));
  });
}

export function recordOf({ sessions }: Started, model: string): SessionRecord {
  const record = sessions[model];
  if (!record) throw new Error(`internal: expected a model of ${Object.keys(sessions).join(', ')}, got ${model}`);
  return record;
}

export function sessionOf(subject: Subject, model: string): Session {
  return new subject.runtime.Session(model, subject.instance, recordOf(subject, model));
}

/** Runs `model`. An inference error is an outcome like any other; a trap is thrown. */
export function outcomeOf(subject: Subject, model: string, feeds: Tensors, outputs?: readonly string[]): Outcome {
  try {
    return sessionOf(subject, model).run(feeds, outputs);
  } catch (error) {
    if (error instanceof subject.runtime.InferenceError) return error.message;
    throw error;
  }
}

function runCases(model: string, { inputs }: Session, pinned: PinnedSizes): readonly Case[] {
  // The pinned sizes come on top of the free ones and do not replace them: a refused trial may have been refused for
  // its numbers.
  const all = Object.keys(pinned.named).length > 0 ? [{ ...pinned, named: {} }, pinned] : [pinned];
  const runs = all.flatMap((one) => runsOf(inputs, one));
  return runs.flatMap(({ sizes, fills }) => fills.map((fill) => runCase(model, sizes, fill)));
}

interface Run {
  readonly sizes: Sizes;
  readonly fills: readonly Fill[];
}

function runsOf(inputs: readonly ValueInfo[], pinned: PinnedSizes): readonly Run[] {
  const dimensions = freeDimensions(inputs, pinned.rank).filter((name) => !(name in pinned.named));
  // Beside 1, a size is broadcast; beside 2, any op that combines the two refuses it.
  const alone = [1, 2].flatMap((all) => dimensions.map((name) => ({ all, named: { [name]: 3 } })));
  const small = dimensions.length > 0 ? batchSizes.map((all) => ({ all })) : [{ all: 1 }];
  const large = dimensions.length === 1 ? largeBatchSizes.map((all) => ({ all })) : [];
  const several = [...small, ...alone].filter((sizes) => elementsOf(inputs, withPinned(pinned, sizes)) <= maxElements);
  return [
    ...(dimensions.length > 1 ? several : small).map((sizes) => ({ sizes: withPinned(pinned, sizes), fills })),
    ...large.map((sizes) => ({ sizes: withPinned(pinned, sizes), fills: ['pixels'] as const })),
  ];
}

const withPinned = (pinned: PinnedSizes, { all, named }: Sizes): Sizes => ({
  ...pinned,
  all,
  named: { ...pinned.named, ...named },
});

function runCase(model: string, sizes: Sizes, fill: Fill): Case {
  return {
    model,
    label: `${fill} input, ${sizes.rank === undefined ? '' : `${sizes.rank} `}free dimensions ${JSON.stringify({ ...sizes.named, others: sizes.all })}`,
    perform: (subject) => outcomeOf(subject, model, feedsOf(subject, model, sizes, fill)),
  };
}

/** Returns a case for each batch of the samples, if there are any. */
function sampleCases(model: string, { inputs }: Session, samples: SampleArray | undefined): readonly Case[] {
  if (!samples) return [];
  return sampleBatches(samples, inputs).map((batch) => ({
    model,
    label: `samples ${batch.start} to ${batch.end - 1}`,
    isReal: true,
    perform: (subject) => outcomeOf(subject, model, sampleFeeds(subject.runtime, samples, inputs, batch)),
  }));
}

/** Returns cases of one sample at jumping times. */
function clockCases(model: string, pinned: PinnedSizes): readonly Case[] {
  return clocks.map((now) => ({
    model,
    label: `clock at ${now}`,
    perform: (subject) =>
      atTime(now, () => outcomeOf(subject, model, feedsOf(subject, model, { ...pinned, all: 1 }, 'pixels'))),
  }));
}

/** Returns a case for each output alone. */
function outputCases(model: string, { outputs }: Session, pinned: PinnedSizes): readonly Case[] {
  return outputs.map(({ name }) => ({
    model,
    label: `output ${name} alone`,
    perform: (subject) => outcomeOf(subject, model, feedsOf(subject, model, { ...pinned, all: 2 }, 'pixels'), [name]),
  }));
}

/**
 * Returns cases whose batch is too large for the memory that is left, inside the heap or by growing, while nothing else
 * is free. However small a model is, its allocations then meet the limit. Only the error's message is compared.
 */
function memoryLimitCases(model: string, pinned: PinnedSizes): readonly Case[] {
  const limits = [
    ...freePages.map((pages) => ({ pages, times: 0 })),
    ...multiples.map((times) => ({ pages: 0, times })),
  ];
  return limits.map(({ pages, times }) => ({
    model,
    label: `room for ${times} times its inputs in memory, and ${pages} pages to grow`,
    perform: (subject) => {
      const sizes = { ...pinned, all: sizeOf(sessionOf(subject, model).inputs, pinned, limitedElements) };
      const feeds = feedsOf(subject, model, sizes, 'pixels');
      const bytes = Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength + blockOverhead, 0);
      const outcome = withLittleMemory(subject, times * bytes, pages, (limited) => outcomeOf(limited, model, feeds));
      return typeof outcome === 'string' ? outcome : {};
    },
  }));
}

/**
 * Runs while only a little memory is free.
 *
 * @param bytes the memory that is free in one piece
 * @throws Error if the runtime trapped, even if it then recovered: restoring has undone the allocations made here
 */
function withLittleMemory(subject: Subject, bytes: number, pages: number, run: (limited: Subject) => Outcome): Outcome {
  const { runtime, instance } = subject;
  const { ort, heap } = instance;
  const room = ort._malloc(bytes);
  const small = Array.from({ length: 2 * smallBlocks }, () => ort._malloc(smallBytes));
  runtime.capMemory(heap.memory, runtime.pagesOf(heap.memory));
  const taken = takeFreeHeap(ort, smallBytes);
  // Every other block stays taken, so that the free ones do not merge.
  const between = small.filter((_, i) => i % 2 === 0);
  for (const block of small.filter((_, i) => i % 2 === 1)) ort._free(block);
  ort._free(room);
  runtime.capMemory(heap.memory, runtime.pagesOf(heap.memory) + pages);
  let traps = 0;
  const restore = (trapped?: string) => {
    traps++;
    instance.restore?.(trapped);
  };
  try {
    const outcome = run(instance.restore ? { ...subject, instance: { ...instance, restore } } : subject);
    if (traps > 0) throw new Error('trapped once');
    for (const block of [...between, ...taken.map(({ block }) => block)]) ort._free(block);
    return outcome;
  } finally {
    runtime.capMemory(heap.memory, runtime.memoryCapPages);
  }
}

/**
 * Returns one size for all free dimensions that have no known size, with which the largest input has about that many
 * elements.
 */
function sizeOf(inputs: readonly ValueInfo[], pinned: PinnedSizes, elements: number): number {
  const sizes = inputs.map((input) => {
    const free = freeDimensions([input], pinned.rank).filter((name) => !(name in pinned.named)).length;
    const fixed = elementsOf([input], { ...pinned, all: 1 });
    return free === 0 ? Infinity : Math.max(1, Math.floor((elements / Math.max(1, fixed)) ** (1 / free)));
  });
  return Math.min(elements, ...sizes);
}

function feedsOf(subject: Subject, model: string, sizes: Sizes, fill: Fill): Tensors {
  return makeFeeds(subject.runtime, sessionOf(subject, model).inputs, sizes, fill);
}
