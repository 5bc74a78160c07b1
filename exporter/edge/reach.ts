/**
 * Finds what requests reach, by performing every case: which functions, then which branches, which entries of the table
 * and which memory. The caller may recall the results of an earlier build, which are a guess until the image is proven.
 */

import { concat } from './wasm/bytes.ts';
import type { Runtime } from './bundle.ts';
import { allCases, emptyRequests, firstRequests } from './cases/cases.ts';
import type { KnownInputs, Subject } from './cases/cases.ts';
import type { Samples } from './cases/samples.ts';
import { findSizes } from './cases/sizes.ts';
import type { KnownSizes, TakenSizes } from './cases/sizes.ts';
import { outcomeOrTrap, Trials } from './cases/trials.ts';
import type { Ingredients, Recall } from './ingredients.ts';
import type { Proof } from './proof.ts';
import type { ImageManifest } from './runtime/index.ts';
import type { Allocation, SealingPlan } from './stages/allocations.ts';
import { bake } from './stages/bake.ts';
import { markedNumbers } from './stages/boot.ts';
import type { Booted } from './stages/boot.ts';
import { countArms } from './stages/branches.ts';
import { Notes } from './stages/notes.ts';
import { planSealing } from './stages/seal.ts';
import type { Traced } from './stages/seal.ts';
import type { Snapshot } from './stages/snapshot.ts';
import { countEntries } from './stages/table.ts';
import { granuleBytes, markCallsOf, marksPages, readMarks, traceReads } from './stages/trace.ts';
import type { Marks } from './stages/trace.ts';

/** The first boot, in which nothing is sealed. */
export interface FirstBoot {
  readonly runtime: Runtime;
  readonly booted: Booted;
  readonly allocations: readonly Allocation[];
  readonly snapshot: Snapshot;
  /** `bootAgain` boots to the same memory once more. */
  readonly bootAgain: () => Promise<Booted>;
}

/** Holds the inputs that models accept, and the functions that they reach. */
export interface Reach {
  readonly known: KnownInputs;
  /** Holds the numbers of the reached functions, among those that the module defines. */
  readonly kept: ReadonlySet<number>;
  /** Lists the sessions of which no case was answered, so that what an answer would reach is unknown: all is kept. */
  readonly unknown: readonly string[];
  /** `key` holds all that the results depend on: they are recalled by it. */
  readonly key: readonly Uint8Array[];
}

/** Finds the sizes that the models accept, and the functions that their cases enter. */
export async function findFunctions(first: FirstBoot, ingredients: Ingredients): Promise<Reach> {
  const { runtime, booted, allocations } = first;
  const { samples, stated = {}, recall } = ingredients;
  const blocks = Uint32Array.from(allocations, ({ size }) => size);
  const created = [booted.hits.marks(), new Uint8Array(blocks.buffer), encodeJson(inputsOf(booted))];
  const trials = new Trials({ ...booted, runtime }, async () => {
    const other = await first.bootAgain();
    other.hits.reset();
    return { ...other, runtime };
  });
  const sizes = decodeJson(
    await recall('sizes', [...created, encodeJson([stated, shapesOf(samples)])], async () =>
      encodeJson(await findAllSizes(trials, ingredients)),
    ),
  ) as KnownSizes;
  const known = { samples, sizes };
  const key = [...created, encodeJson(sizes)];
  const marks = await recall('profile', key, () => profile(trials, known));
  const unknown = Object.keys(sizes).filter((name) => sizes[name]?.answered === false);
  return { known, kept: unknown.length > 0 ? new Set(marks.keys()) : markedNumbers(marks), unknown, key };
}

async function findAllSizes(
  trials: Trials<Subject>,
  { models, samples, stated = {} }: Ingredients,
): Promise<Readonly<Record<string, TakenSizes>>> {
  const found: Record<string, TakenSizes> = {};
  for (const [name, file] of Object.entries(models)) {
    found[name] = await findSizes(trials, name, file, { samples: samples[name], stated: stated[name] });
  }
  return found;
}

const shapesOf = (samples: Samples) => Object.entries(samples).map(([name, { shape }]) => [name, shape]);

const inputsOf = ({ sessions }: Booted) => Object.entries(sessions).map(([name, { inputs }]) => [name, inputs]);

const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const decodeJson = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

/** @returns one byte per function: 1 if a case entered it */
async function profile(trials: Trials<Booted & Subject>, known: KnownInputs): Promise<Uint8Array> {
  const marks = new Uint8Array(trials.subject.hits.size);
  const collect = ({ hits }: Booted) => {
    for (const [index, mark] of hits.marks().entries()) if (mark === 1) marks[index] = 1;
  };
  trials.subject.hits.reset();
  const cases = [...allCases(trials.subject, known), ...emptyRequests(trials.subject, known)];
  for (const { perform } of cases) await trials.perform(perform, collect);
  collect(trials.subject);
  return marks;
}

/** Says which blocks to seal, and which static data, branches and entries of the table cases reach. */
interface Reads extends Omit<Marks, 'reads'> {
  readonly calls: SealingPlan['calls'];
  /** `reads` has the granules of the static data alone. */
  readonly reads: Uint8Array;
}

/**
 * Finds what cases read and call within the functions that they enter.
 *
 * @param stubbed the module with these functions alone
 */
export async function findReads(
  { runtime, allocations, snapshot }: FirstBoot,
  manifest: ImageManifest,
  { known, unknown, key }: Reach,
  stubbed: Uint8Array,
  recall: Recall,
): Promise<Reads> {
  const [armCount, entryCount] = [countArms(stubbed), countEntries(stubbed)];
  const found = await recall('seal', [stubbed, ...key], async () => {
    if (unknown.length > 0) return new Uint8Array(allocations.length + armCount + entryCount);
    const traced = await traceImage({ runtime, manifest, known }, stubbed, snapshot);
    const calls = planSealing(snapshot, allocations, traced);
    const reads = traced.reads.subarray(0, Math.floor(snapshot.heapStart / granuleBytes));
    return concat([calls, reads, traced.arms.subarray(0, armCount), traced.entries.subarray(0, entryCount)]);
  });
  const firstEntry = found.length - entryCount;
  const firstArm = firstEntry - armCount;
  return {
    calls: found.subarray(0, allocations.length),
    reads: found.subarray(allocations.length, firstArm),
    arms: found.subarray(firstArm, firstEntry),
    entries: found.subarray(firstEntry),
  };
}

/** Performs all cases, and some requests more, on an image that records what it reads and which branches it takes. */
export async function traceImage(
  { runtime, manifest, known }: Pick<Proof, 'runtime' | 'manifest' | 'known'>,
  code: Uint8Array,
  { memory }: Snapshot,
): Promise<Traced & Marks> {
  const module = new WebAssembly.Module(bake(traceReads(code), memory));
  const marks = new Notes(marksPages);
  const image = await runtime.startImage(module, manifest, {
    onInstance: (exports) => {
      marks.attach(exports);
      markCallsOf(exports[manifest.names.table] as WebAssembly.Table, readMarks(marks));
    },
  });
  const subject = { ...image, runtime };
  // These come before the others, which let memory grow: each of the first requests would then have to shrink it again.
  for (const { perform } of firstRequests(subject, known)) outcomeOrTrap(subject, perform);
  image.instance.restore?.();
  for (const { perform } of [...allCases(subject, known), ...emptyRequests(subject, known)])
    outcomeOrTrap(subject, perform);
  return { ...readMarks(marks), memory: image.instance.heap.bytes.slice() };
}
