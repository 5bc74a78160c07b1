/**
 * What a deployed model is put through: every batch size, fill, output, error and memory limit that a request can meet.
 * Profiling performs the cases on the instrumented runtime, verification on the stock and the specialised one.
 */

import type { Runtime } from '../bundle.ts';
import type { SampleArray } from '../../store/samples.ts';
import { atTime } from '../stages/clock.ts';
import { takeFreeHeap } from '../stages/free-heap.ts';
import { elementsOf, freeDimensions, makeFeeds } from './feeds.ts';
import type { Fill, Sizes } from './feeds.ts';
import { rawErrorCases } from './raw-calls.ts';
import { sampleBatches, sampleFeeds } from './samples.ts';
import type { Samples } from './samples.ts';
import type { KnownSizes } from './sizes.ts';
import type { Session, Started, Tensor, Tensors, ValueInfo } from '../runtime/index.ts';

/** A running runtime of any kind, and the code that runs it. */
export interface Subject extends Started {
  readonly runtime: Runtime;
}

/** What became of a run: its outputs, or the message of its error. */
export type Outcome = Readonly<Record<string, Tensor>> | string;

export interface Case {
  readonly model: string;
  readonly label: string;
  readonly perform: (subject: Subject) => Outcome;
}

/** What is known of the inputs that models take, beside what their shapes say. */
export interface Known {
  readonly samples: Samples;
  readonly sizes: KnownSizes;
}

const batchSizes = [1, 2, 3, 7, 16, 64];
/** Several free dimensions make a tensor of astronomic size otherwise. */
const mostElements = 2 ** 22;
/** Nothing at all, then until memory must grow, then until it cannot. */
const largeBatchSizes = [0, 128, 512, 4096];
const fills: readonly Fill[] = ['image', 'unit', 'special'];
/** Room for growth, in pages, when a run meets the memory limit: each stops it at another allocation. */
const rooms = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256];
/** Room without growth, by what the inputs take. */
const multiples = [1, 1.5, 2, 3, 5, 9];
/** Of the largest input then. */
const limitedElements = 2 ** 16;
/** More than the allocator keeps for itself beside a block. Bytes. */
const blockOverhead = 64;
/** What errors are made of must find room all the same, in stock as well: else they are the end of the process. */
const [smallBlocks, smallBytes] = [64, 2_048];

/** Milliseconds since 1970. A Worker's clock stands at 0 in the global scope, jumps at the first request, and may go back. */
const clocks = [0, 1_700_000_000_000, 1_600_000_000_000, 4_000_000_000_000];

/** All cases of all models of `subject`, model by model. They hold for any subject with the same models. */
export function allCases(subject: Subject, { samples, sizes }: Known): readonly Case[] {
  return Object.keys(subject.sessions).flatMap((model) => {
    const session = sessionOf(subject, model);
    const pinned = sizes[model]?.pinned ?? {};
    return [
      ...sampleCases(model, session, samples[model]),
      ...clockCases(model, pinned),
      ...memoryLimitCases(model, pinned),
      ...runCases(model, session, pinned),
      ...outputCases(model, session, pinned),
      ...rawErrorCases(model),
    ];
  });
}

/** Dimensions that have one right size, by name. */
type Pinned = NonNullable<Sizes['named']>;

export function sessionOf({ runtime, sessions, instance }: Subject, model: string): Session {
  const record = sessions[model];
  if (!record) throw new Error(`internal: expected a model of ${Object.keys(sessions).join(', ')}, got ${model}`);
  return new runtime.Session(model, instance, record);
}

/** Runs `model`; an error of inference is an outcome like any other, a trap is not. */
export function outcomeOf(subject: Subject, model: string, feeds: Tensors, outputs?: readonly string[]): Outcome {
  try {
    return sessionOf(subject, model).run(feeds, outputs);
  } catch (error) {
    if (error instanceof subject.runtime.InferenceError) return error.message;
    throw error;
  }
}

function runCases(model: string, { inputs }: Session, pinned: Pinned): readonly Case[] {
  // With pinned sizes besides, never instead: what was refused when they were looked for may have been the numbers.
  const all = Object.keys(pinned).length > 0 ? [{}, pinned] : [{}];
  const runs = all.flatMap((named) => runsOf(inputs, named));
  return runs.flatMap(({ sizes, fills }) => fills.map((fill) => runCase(model, sizes, fill)));
}

interface Run {
  readonly sizes: Sizes;
  readonly fills: readonly Fill[];
}

function runsOf(inputs: readonly ValueInfo[], pinned: Pinned): readonly Run[] {
  const dimensions = freeDimensions(inputs).filter((name) => !(name in pinned));
  // Beside 1 a size is broadcast, beside 2 it is refused by whatever combines the two.
  const alone = [1, 2].flatMap((all) => dimensions.map((name) => ({ all, named: { [name]: 3 } })));
  const small = dimensions.length > 0 ? batchSizes.map((all) => ({ all })) : [{ all: 1 }];
  const large = dimensions.length === 1 ? largeBatchSizes.map((all) => ({ all })) : [];
  const several = [...small, ...alone].filter((sizes) => elementsOf(inputs, withPinned(sizes, pinned)) <= mostElements);
  return [
    ...(dimensions.length > 1 ? several : small).map((sizes) => ({ sizes: withPinned(sizes, pinned), fills })),
    ...large.map((sizes) => ({ sizes: withPinned(sizes, pinned), fills: ['image'] as const })),
  ];
}

const withPinned = ({ all, named }: Sizes, pinned: Pinned): Sizes => ({ all, named: { ...pinned, ...named } });

function runCase(model: string, sizes: Sizes, fill: Fill): Case {
  return {
    model,
    label: `${fill} input, free dimensions ${JSON.stringify({ ...sizes.named, others: sizes.all })}`,
    perform: (subject) => outcomeOf(subject, model, feedsOf(subject, model, sizes, fill)),
  };
}

/** Real samples, where there are some. */
function sampleCases(model: string, { inputs }: Session, samples: SampleArray | undefined): readonly Case[] {
  if (!samples) return [];
  return sampleBatches(samples, inputs).map((batch) => ({
    model,
    label: `samples ${batch.start} to ${batch.end - 1}`,
    perform: (subject) => outcomeOf(subject, model, sampleFeeds(subject.runtime, samples, inputs, batch)),
  }));
}

/** A sample alone while the clock jumps. */
function clockCases(model: string, named: Pinned): readonly Case[] {
  return clocks.map((now) => ({
    model,
    label: `clock at ${now}`,
    perform: (subject) =>
      atTime(now, () => outcomeOf(subject, model, feedsOf(subject, model, { all: 1, named }, 'image'))),
  }));
}

/** Each output alone. */
function outputCases(model: string, { outputs }: Session, named: Pinned): readonly Case[] {
  return outputs.map(({ name }) => ({
    model,
    label: `output ${name} alone`,
    perform: (subject) => outcomeOf(subject, model, feedsOf(subject, model, { all: 2, named }, 'image'), [name]),
  }));
}

/**
 * A batch too large for the room that memory has left, inside the heap or by growing, while nothing else is free: however
 * small a model is, its allocations then meet the limit. Only the message of the error counts.
 */
function memoryLimitCases(model: string, named: Pinned): readonly Case[] {
  const limits = [...rooms.map((pages) => ({ pages, times: 0 })), ...multiples.map((times) => ({ pages: 0, times }))];
  return limits.map(({ pages, times }) => ({
    model,
    label: `room for ${times} times its inputs in memory, and ${pages} pages to grow`,
    perform: (subject) => {
      const sizes = { all: sizeOf(sessionOf(subject, model).inputs, named, limitedElements), named };
      const feeds = feedsOf(subject, model, sizes, 'image');
      const bytes = Object.values(feeds).reduce((sum, { data }) => sum + data.byteLength + blockOverhead, 0);
      const outcome = withLittleMemory(subject, times * bytes, pages, (limited) => outcomeOf(limited, model, feeds));
      return typeof outcome === 'string' ? outcome : {};
    },
  }));
}

/**
 * @param bytes that are free at one place
 * @throws Error if the runtime trapped, also if it then recovered: what was taken is gone with the memory of before
 */
function withLittleMemory(subject: Subject, bytes: number, pages: number, run: (limited: Subject) => Outcome): Outcome {
  const { runtime, instance } = subject;
  const { ort, heap } = instance;
  const room = ort._malloc(bytes);
  const small = Array.from({ length: 2 * smallBlocks }, () => ort._malloc(smallBytes));
  runtime.capMemory(heap.memory, runtime.pagesOf(heap.memory));
  const taken = takeFreeHeap(ort, smallBytes);
  // Every other one stays taken, so that they do not become one.
  const between = small.filter((_, i) => i % 2 === 0);
  for (const block of small.filter((_, i) => i % 2 === 1)) ort._free(block);
  ort._free(room);
  runtime.capMemory(heap.memory, runtime.pagesOf(heap.memory) + pages);
  let traps = 0;
  const restore = () => {
    traps++;
    instance.restore?.();
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

/** Size of every free dimension without one of its own with which the largest input has about as many elements. */
function sizeOf(inputs: readonly ValueInfo[], named: Pinned, elements: number): number {
  const sizes = inputs.map((input) => {
    const free = freeDimensions([input]).filter((name) => !(name in named)).length;
    const fixed = elementsOf([input], { all: 1, named });
    return free === 0 ? Infinity : Math.max(1, Math.floor((elements / Math.max(1, fixed)) ** (1 / free)));
  });
  return Math.min(elements, ...sizes);
}

function feedsOf(subject: Subject, model: string, sizes: Sizes, fill: Fill): Tensors {
  return makeFeeds(subject.runtime, sessionOf(subject, model).inputs, sizes, fill);
}
