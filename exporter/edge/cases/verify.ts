/**
 * The proof: every model gives the same bits and the same errors on the specialised runtime as on the stock one, or, if
 * its sums are fused, numbers that are near enough. A single difference fails the build, or leaves the sums unfused.
 */

import { allCases, outcomeOf, recordOf, sessionOf } from './cases.ts';
import type { Case, KnownInputs, Outcome, Subject } from './cases.ts';
import { nothingPinned, makeFeeds, type PinnedSizes } from './feeds.ts';
import { nearDifference } from './nearness.ts';
import { isTrap, outcomeOrTrap, type Trials } from './trials.ts';
import { isHalfNaN } from './set-number.ts';
import { isOutOfMemory } from '../runtime/ort.ts';
import type { Tensor, TensorData } from '../runtime/index.ts';

/**
 * Thrown at the first difference. It is a bug of bn-edge; until it is fixed, the stock runtime can be deployed.
 */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
  /** `difference` leaves out the name of the model. */
  readonly difference: string;
  /** `found` leaves out what the user can do about it. */
  readonly found: string;

  constructor(model: string, where: string, difference: string) {
    const what = `${where}: ${difference} (EDGE_RUNTIME=stock deploys the stock runtime instead)`;
    super(`internal: edge image, model ${model}, ${what}`);
    this.difference = what;
    this.found = `${model}: ${where}: ${difference}`;
  }
}

/** @returns a description of the difference, or undefined */
export type Compare = (expected: Outcome, got: Outcome, one: Pick<Case, 'isReal'>) => string | undefined;

/** Counts, by model, the cases that gave the same on both runtimes. */
export type Verified = Readonly<Record<string, number>>;

export interface Verification {
  readonly reference: AsyncIterable<Outcome> | Iterable<Outcome>;
  readonly image: Subject;
  readonly known: KnownInputs;
  /** Compares an outcome with stock's. Default: every bit must be the same. */
  readonly compare?: Compare;
  /** Receives the name of each model before its first case. */
  readonly onModel?: (model: string) => void;
  /** Is called for each trap in a case from which the image recovers. */
  readonly onTrap?: () => void;
}

/** @throws VerificationError at the first difference */
export async function verify({
  reference,
  image,
  known,
  compare = describeDifference,
  onModel,
  onTrap,
}: Verification): Promise<Verified> {
  const cases = allCases(image, known).values();
  const restore = (trapped?: string) => {
    onTrap?.();
    image.instance.restore?.(trapped);
  };
  const observed = onTrap ? { ...image, instance: { ...image.instance, restore } } : image;
  const verified: Record<string, number> = {};
  for await (const expected of reference) {
    const { value: one } = cases.next();
    if (!one) throw new Error('internal: expected as many cases from stock as from the image');
    if (!(one.model in verified)) onModel?.(one.model);
    hold(compare, one, expected, outcomeOrTrap(observed, one.perform));
    verified[one.model] = (verified[one.model] ?? 0) + 1;
  }
  // If all of stock's code is there, broken memory raises an error more often than a trap.
  const isWhole = Object.values(known.sizes).some(({ answered }) => !answered);
  if (isWhole) return verified;
  for (const model of Object.keys(image.sessions)) checkTrapRecovery(image, model, known.sizes[model]?.alternatives[0]);
  return verified;
}

/** Yields the outcome of every case, in the order in which they are compared. */
export async function* outcomesOf(trials: Trials<Subject>, known: KnownInputs): AsyncIterable<Outcome> {
  for (const { perform } of allCases(trials.subject, known)) yield trials.perform(perform);
}

function hold(compare: Compare, one: Case, expected: Outcome, got: Outcome): void {
  // If stock itself traps, the image need only survive, as it does by being restored.
  if (isTrap(expected) || memoryRanOut([expected, got])) return;
  const difference = compare(expected, got, one);
  if (difference === undefined) return;
  throw new VerificationError(one.model, one.label, difference);
}

/**
 * Is true if memory ran out in one of the two. How large a batch fits, and which allocation fails first, depends on the
 * holes in the heap, and the image's heap has been tidied: such a case proves that nothing traps, and no more.
 */
function memoryRanOut(outcomes: readonly Outcome[]): boolean {
  const full = outcomes.filter((outcome) => typeof outcome === 'string' && isOutOfMemory(outcome));
  const done = outcomes.filter((outcome) => typeof outcome !== 'string');
  return full.length > 0 && full.length + done.length === outcomes.length;
}

/** Bytes of a session's object that are certain to include a pointer that every run follows. */
export const sessionBytes = 1_024;

/**
 * Overwrites the memory of a session, then runs it: it must trap, be restored, and answer as it did when it was new.
 */
function checkTrapRecovery(image: Subject, model: string, pinned: PinnedSizes = nothingPinned): void {
  const { instance } = image;
  // Earlier cases have left holes in the heap, so that the largest of them may no longer fit.
  instance.restore?.();
  let restored = 0;
  const restore = (trapped?: string) => {
    restored++;
    instance.restore?.(trapped);
  };
  const observed = { ...image, instance: { ...instance, restore } };
  const session = sessionOf(image, model);
  const feeds = makeFeeds(image.runtime, session.inputs, { ...pinned, all: 1 }, 'pixels');
  const before = outcomeOf(image, model, feeds);
  const { handle } = recordOf(image, model);
  instance.heap.bytes.fill(0xff, handle, handle + sessionBytes);
  const difference = describeDifference(before, outcomeOf(observed, model, feeds));
  if (difference !== undefined) throw new VerificationError(model, 'after a trap', difference);
  if (restored !== 1) throw new VerificationError(model, 'broken memory', `expected one trap, got ${restored}`);
}

/** Describes the difference of two outcomes, or returns undefined. Outputs are compared bit by bit. */
export const describeDifference = (expected: Outcome, got: Outcome): string | undefined =>
  outcomeDifference(expected, got, tensorDifference);

/** Describes the difference of outcomes whose sums are rounded otherwise: outputs are compared by `nearness.ts`. */
export const describeDistance: Compare = (expected, got, { isReal = false }) =>
  outcomeDifference(expected, got, (want, have) => nearDifference(want, have, isReal));

function outcomeDifference(
  expected: Outcome,
  got: Outcome,
  compare: (want: Tensor, have: Tensor) => string | undefined,
): string | undefined {
  if (typeof expected === 'string' || typeof got === 'string') {
    return expected === got ? undefined : `expected ${describe(expected)}, got ${describe(got)}`;
  }
  const names = Object.keys(expected);
  if (names.join() !== Object.keys(got).join())
    return `expected outputs ${names.join()}, got ${Object.keys(got).join()}`;
  for (const name of names) {
    const [want, have] = [expected[name], got[name]];
    const difference = want && have ? compare(want, have) : 'expected a tensor, got none';
    if (difference !== undefined) return `output ${name}: ${difference}`;
  }
  return undefined;
}

function describe(outcome: Outcome): string {
  return typeof outcome === 'string' ? `"${outcome}"` : 'outputs';
}

function tensorDifference(expected: Tensor, got: Tensor): string | undefined {
  const [want, have] = [`${expected.dtype} [${expected.shape.join()}]`, `${got.dtype} [${got.shape.join()}]`];
  if (want !== have) return `expected ${want}, got ${have}`;
  const at = firstDifference(expected, got);
  if (at < 0) return undefined;
  return `expected ${String(expected.data[at])} at ${at}, got ${String(got.data[at])}`;
}

/**
 * Returns the index of the first element whose bits differ, or -1. A NaN equals every NaN: WebAssembly's specification
 * leaves open which one an instruction gives, and the two compilers of an engine differ in it.
 */
function firstDifference({ dtype, data: expected }: Tensor, { data: got }: Tensor): number {
  if (Buffer.compare(bytesOf(expected), bytesOf(got)) === 0) return -1;
  const bits = dtype === 'float16' && expected instanceof Uint16Array;
  const same = (a: unknown, b: unknown) => Object.is(a, b) || (bits && isHalfNaN(Number(a)) && isHalfNaN(Number(b)));
  return expected.findIndex((_: unknown, i: number) => !same(expected[i], got[i]));
}

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
