/**
 * Finds the sizes of free dimensions that a model accepts. Most models accept any; but `[rows, columns]` that is
 * multiplied by a 4 × 6 matrix must have 4 columns, whatever its shape says. They are found by trying the sizes that
 * occur in the file.
 */

import { at } from '../../../training/arrays/index.ts';
import { decodeProto, onnxProto } from '../../../training/graph/index.ts';
import type { SampleArray } from '../../store/samples.ts';
import { isFree } from '../runtime/tensor.ts';
import type { ValueInfo } from '../runtime/index.ts';
import { type Outcome, outcomeOf, sessionOf, type Subject } from './cases.ts';
import {
  nothingPinned,
  axesOf,
  elementsOf,
  freeDimensions,
  freeName,
  makeFeeds,
  type Sizes,
  type PinnedSizes,
} from './feeds.ts';
import type { Trials } from './trials.ts';

export interface TakenSizes {
  /**
   * `alternatives` holds the known sizes; one entry for each number of dimensions if the file leaves that open. Those that the
   * model answered come first.
   */
  readonly alternatives: readonly [PinnedSizes, ...PinnedSizes[]];
  /**
   * `answered` is true if the model has answered a possible request. If it is false, what a request reaches in it is
   * unknown.
   */
  readonly answered: boolean;
}

/** Maps sessions to the sizes that they accept. */
export type KnownSizes = Readonly<Record<string, TakenSizes>>;

/**
 * Sizes tried for the dimensions without a known size: small ones broadcast, larger ones hold a convolution's window.
 */
const others = [2, 3, 1, 8, 32];
/** Numbers of dimensions to try if the file leaves them open. */
const ranks = [1, 2, 3, 4, 5, 0];
const maxAttempts = 1_000;
const maxCandidates = 24;
const largestSize = 4_096;
/** Limits the elements of all inputs together. */
const maxElements = 2 ** 18;

/** Maps inputs to shapes, with −1 for a size that is not stated. */
export type StatedShapes = Readonly<Record<string, readonly number[]>>;

export interface KnownShapes {
  /** `samples` fix every size but the number of samples. */
  readonly samples?: SampleArray | undefined;
  /** `stated` holds the shapes that the card states. */
  readonly stated?: StatedShapes | undefined;
}

/**
 * Finds the sizes that a model accepts.
 *
 * @param file the model
 */
export async function findSizes<S extends Subject>(
  trials: Trials<S>,
  model: string,
  file: Uint8Array,
  shapes: KnownShapes = {},
): Promise<TakenSizes> {
  const { inputs } = sessionOf(trials.subject, model);
  const answers = (sizes: Sizes) => isAnswered(trials, model, inputs, sizes);
  const search: Search = { inputs, candidates: candidatesIn(file), shapes, answers };
  const open = inputs.filter(({ anyShape }) => anyShape).length;
  if (open === 0) {
    const pinned = await findPinned(search);
    return { alternatives: [pinned ?? nothingPinned], answered: pinned !== undefined };
  }
  const [taken, refused]: [PinnedSizes[], PinnedSizes[]] = [[], []];
  for (const rank of ranks) {
    const pinned = await findPinned(search, rank);
    (pinned ? taken : refused).push(pinned ?? { rank, named: {} });
  }
  const [first = nothingPinned, ...rest] = [...taken, ...refused];
  // If several inputs are open, each may have another number of dimensions.
  return { alternatives: [first, ...rest], answered: taken.length > 0 && open === 1 };
}

/** Is true if the model answers made-up inputs of these sizes. */
async function isAnswered<S extends Subject>(
  trials: Trials<S>,
  model: string,
  inputs: readonly ValueInfo[],
  sizes: Sizes,
): Promise<boolean> {
  if (elementsOf(inputs, sizes) > maxElements) return false;
  const outcome: Outcome = await trials.perform((subject) =>
    outcomeOf(subject, model, makeFeeds(subject.runtime, inputs, sizes, 'unit')),
  );
  return typeof outcome !== 'string';
}

type Answers = (sizes: Sizes) => Promise<boolean>;

interface Search {
  readonly inputs: readonly ValueInfo[];
  /** `candidates` lists the sizes to try. */
  readonly candidates: readonly number[];
  readonly shapes: KnownShapes;
  readonly answers: Answers;
}

/**
 * Finds sizes that the model answers.
 *
 * @param rank of the inputs whose shape the file leaves open
 */
async function findPinned(
  { inputs, candidates, shapes: { samples, stated }, answers }: Search,
  rank?: number,
): Promise<PinnedSizes | undefined> {
  const ofRank = rank === undefined ? {} : { rank };
  const known = [sizesOfSamples(inputs, samples, rank), statedSizes(inputs, stated, rank)].filter(
    (sizes) => sizes !== undefined,
  );
  const attempts = attemptsAt(freeDimensions(inputs, rank), candidates, known);
  const named = await firstAnswered(attempts, (sizes) => answers({ ...sizes, ...ofRank }));
  return named && { named, ...ofRank };
}

/** Returns the sizes of the first attempt that the model answers, without those that may be any. */
async function firstAnswered(attempts: Iterable<Sizes>, answers: Answers): Promise<PinnedSizes['named'] | undefined> {
  let count = 0;
  for (const sizes of attempts) {
    if (++count > maxAttempts) return undefined;
    if (await answers(sizes)) return withoutFree(sizes, answers);
  }
  return undefined;
}

/**
 * Yields the attempts in this order: one size for all; known sizes; a size from the file for one dimension, then for
 * two.
 */
function* attemptsAt(
  dimensions: readonly string[],
  candidates: readonly number[],
  known: readonly PinnedSizes['named'][],
): Iterable<Sizes> {
  for (const all of others) yield { all };
  for (const named of known) yield { all: 2, named };
  for (const all of others)
    for (const name of dimensions) for (const size of candidates) yield { all, named: { [name]: size } };
  for (const all of others.slice(0, 2))
    for (const [i, first] of dimensions.entries())
      for (const second of dimensions.slice(i + 1))
        for (const a of candidates) for (const b of candidates) yield { all, named: { [first]: a, [second]: b } };
}

/** Leaves out the dimensions that accept another size as well. */
async function withoutFree({ all, named = {} }: Sizes, answers: Answers): Promise<PinnedSizes['named']> {
  let pinned: PinnedSizes['named'] = named;
  for (const [name, size] of Object.entries(named)) {
    const { [name]: _, ...others } = pinned;
    if (await answers({ all, named: { ...others, [name]: size + 1 } })) pinned = others;
  }
  return pinned;
}

/** Returns the sizes of samples by the names of dimensions, or by input and axis. */
function sizesOfSamples(
  [input, ...more]: readonly ValueInfo[],
  samples: SampleArray | undefined,
  rank?: number,
): Sizes['named'] {
  if (!input || !samples || more.length > 0 || samples.shape.length !== (rank ?? samples.shape.length))
    return undefined;
  const named = axesOf(input, rank).flatMap((size, axis) => {
    const name = freeName(input.name, size, axis);
    return axis > 0 && isFree(size) && name !== undefined ? [[name, at(samples.shape, axis)] as const] : [];
  });
  return named.length > 0 ? Object.fromEntries(named) : undefined;
}

function statedSizes(inputs: readonly ValueInfo[], stated: StatedShapes = {}, rank?: number): Sizes['named'] {
  const shapes = new Map(Object.entries(stated));
  const named = inputs.flatMap((input) => {
    const shape = shapes.get(input.name);
    const axes = axesOf(input, rank);
    if (shape?.length !== axes.length) return [];
    return axes.flatMap((open, axis) => {
      const [name, size = -1] = [freeName(input.name, open, axis), shape[axis]];
      return name !== undefined && size > 0 ? [[name, size] as const] : [];
    });
  });
  return named.length > 0 ? Object.fromEntries(named) : undefined;
}

/**
 * Lists the sizes of stored tensors and the numbers in short lists of integers, which are often shapes; the most
 * frequent ones first.
 */
function candidatesIn(file: Uint8Array): readonly number[] {
  const { graph } = decodeProto(file);
  const held = (graph?.node ?? []).flatMap(({ attribute }) => attribute?.flatMap(({ t }) => t ?? []) ?? []);
  const sizes = [...(graph?.initializer ?? []), ...held].flatMap(({ dims, dataType, rawData }) => [
    ...(dims ?? []).map(Number),
    ...(isShape(dataType, rawData) ? [...new BigInt64Array(new Uint8Array(rawData).buffer)].map(Number) : []),
  ]);
  const counts = new Map<number, number>();
  for (const size of sizes) if (size > 1 && size <= largestSize) counts.set(size, (counts.get(size) ?? 0) + 1);
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || a - b)
    .slice(0, maxCandidates)
    .map(([size]) => size);
}

const maxBytes = 64;

function isShape(dataType: number | null | undefined, data: Uint8Array | null | undefined): data is Uint8Array {
  const isInt64 = dataType === onnxProto.onnx.TensorProto.DataType.INT64;
  return isInt64 && data instanceof Uint8Array && data.length <= maxBytes && data.length % 8 === 0;
}
