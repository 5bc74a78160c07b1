/**
 * What a deployed model is put through: every batch size, fill, output, error and memory limit that a request can meet.
 * Profiling performs the cases on the instrumented runtime, verification on the stock and the specialised one.
 */

import type { Runtime } from '../bundle.ts';
import { atTime } from '../stages/clock.ts';
import { freeDimensions, makeFeeds } from './feeds.ts';
import type { Fill, Sizes } from './feeds.ts';
import { rawErrorCases } from './raw-calls.ts';
import type { Session, Started, Tensor, Tensors } from '../runtime/index.ts';

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

const batchSizes = [1, 2, 3, 7, 16, 64];
/** Nothing at all, then until memory must grow, then until it cannot. */
const largeBatchSizes = [0, 128, 512, 4096];
const fills: readonly Fill[] = ['image', 'unit', 'special'];
/** Room for growth, in pages, when a run meets the memory limit: each stops it at another allocation. */
const rooms = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Milliseconds since 1970. A Worker's clock stands at 0 in the global scope, jumps at the first request, and may go back. */
const clocks = [0, 1_700_000_000_000, 1_600_000_000_000, 4_000_000_000_000];

/** All cases of all models of `subject`. They hold for any subject with the same models. */
export function allCases(subject: Subject): readonly Case[] {
  return Object.keys(subject.sessions).flatMap((model) => [
    ...clockCases(model),
    ...memoryLimitCases(model),
    ...runCases(model, freeDimensions(sessionOf(subject, model).inputs)),
    ...outputCases(model, sessionOf(subject, model)),
    ...rawErrorCases(model),
  ]);
}

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

function runCases(model: string, dimensions: readonly string[]): readonly Case[] {
  // Beside 1 a size is broadcast, beside 2 it is refused by whatever combines the two.
  const alone = [1, 2].flatMap((all) => dimensions.map((name) => ({ all, named: { [name]: 3 } })));
  const small = dimensions.length > 0 ? batchSizes.map((all) => ({ all })) : [{ all: 1 }];
  const large = dimensions.length === 1 ? largeBatchSizes.map((all) => ({ all })) : [];
  return [
    ...[...small, ...(dimensions.length > 1 ? alone : [])].flatMap((sizes) =>
      fills.map((fill) => runCase(model, sizes, fill)),
    ),
    ...large.map((sizes) => runCase(model, sizes, 'image')),
  ];
}

function runCase(model: string, sizes: Sizes, fill: Fill): Case {
  return {
    model,
    label: `${fill} input, free dimensions ${JSON.stringify({ ...sizes.named, others: sizes.all })}`,
    perform: (subject) => outcomeOf(subject, model, feedsOf(subject, model, sizes, fill)),
  };
}

/** A sample alone while the clock jumps. */
function clockCases(model: string): readonly Case[] {
  return clocks.map((now) => ({
    model,
    label: `clock at ${now}`,
    perform: (subject) => atTime(now, () => outcomeOf(subject, model, feedsOf(subject, model, { all: 1 }, 'image'))),
  }));
}

/** Each output alone. */
function outputCases(model: string, { outputs }: Session): readonly Case[] {
  return outputs.map(({ name }) => ({
    model,
    label: `output ${name} alone`,
    perform: (subject) => outcomeOf(subject, model, feedsOf(subject, model, { all: 2 }, 'image'), [name]),
  }));
}

/** A batch too large for the room that memory has left to grow. Only the message of the error counts. */
function memoryLimitCases(model: string): readonly Case[] {
  return rooms.map((room) => ({
    model,
    label: `${room} pages of memory to grow`,
    perform: (subject) => {
      const { runtime, instance } = subject;
      const { memory } = instance.heap;
      runtime.capMemory(memory, runtime.pagesOf(memory) + room);
      try {
        const outcome = outcomeOf(subject, model, feedsOf(subject, model, { all: 300 }, 'image'));
        return typeof outcome === 'string' ? outcome : {};
      } finally {
        runtime.capMemory(memory, runtime.memoryCapPages);
      }
    },
  }));
}

function feedsOf(subject: Subject, model: string, sizes: Sizes, fill: Fill): Tensors {
  return makeFeeds(subject.runtime, sessionOf(subject, model).inputs, sizes, fill);
}
