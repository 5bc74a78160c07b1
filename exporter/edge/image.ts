/**
 * Makes a specialised image from the stock module and the models, stage by stage, and proves it. It touches no files.
 */

import type { Fusion, OnStage } from './built.ts';
import type { SealingPlan } from './stages/allocations.ts';
import { bake } from './stages/bake.ts';
import { allocatorIn } from './stages/allocator.ts';
import { countArms, cutBranches } from './stages/branches.ts';
import { boot, markedNumbers } from './stages/boot.ts';
import type { Booted, Served } from './stages/boot.ts';
import { loadRuntime } from './bundle.ts';
import type { Runtime } from './bundle.ts';
import { allCases, emptyRequests, firstRequests } from './cases/cases.ts';
import type { Subject } from './cases/cases.ts';
import { atTimeUntil } from './stages/clock.ts';
import { replaceGemm } from './stages/gemm.ts';
import { instrument } from './stages/instrument.ts';
import { findLink } from './stages/link.ts';
import { findExports } from './stages/names.ts';
import { profile } from './stages/profile.ts';
import type { ImageManifest, LinkNames, Models, SessionRecord } from './runtime/index.ts';
import { shapelessIn } from './shapeless.ts';
import { checkSamples } from './cases/samples.ts';
import type { Samples } from './cases/samples.ts';
import { findSizes } from './cases/sizes.ts';
import type { KnownSizes, StatedShapes, TakenSizes } from './cases/sizes.ts';
import { outcomeOrTrap, Trials } from './cases/trials.ts';
import { ReferenceThread } from './cases/reference.ts';
import { repeatsIn, withoutRepeats } from './stages/repeats.ts';
import { planSealing, sealedBytes } from './stages/seal.ts';
import type { Traced } from './stages/seal.ts';
import { takeSealedSnapshot, takeSnapshot } from './stages/snapshot.ts';
import type { Snapshot } from './stages/snapshot.ts';
import { stub } from './stages/stub.ts';
import { Notes } from './stages/notes.ts';
import { countEntries, cutTable } from './stages/table.ts';
import type { Marks } from './stages/trace.ts';
import { granuleBytes, markCallsOf, marksPages, readMarks, traceReads } from './stages/trace.ts';
import { fusedWhereProven } from './fused.ts';
import type { Codes } from './fused.ts';
import { isVerified, verifyImage } from './proof.ts';
import type { Proof } from './proof.ts';
import { poisonPages, unreadPages, unreadTexts, zeroPages } from './stages/trim.ts';
import type { Verified } from './cases/verify.ts';
import { ownershipOf, sessionShares } from './stages/shares.ts';
import { takeWeights } from './stages/weights.ts';
import type { Weight } from '../served/weights.ts';
import { concat } from './wasm/bytes.ts';
import { unexpected } from '../../training/files/index.ts';

export interface EdgeImage {
  readonly wasm: Uint8Array;
  /**
   * `whole` holds all code that requests may reach, for requests that trap in `wasm`; absent if `wasm` has all of it.
   */
  readonly whole?: Uint8Array;
  /** `stored` holds the files of weights, one for each entry of `Ingredients.apart`. */
  readonly stored: readonly Uint8Array[];
  readonly manifest: ImageManifest;
  readonly functions: { readonly kept: number; readonly stock: number };
  /** Counts, by session, the cases that gave the same bits or the same error as stock. */
  readonly verified: Verified;
  readonly sizes: KnownSizes;
  /**
   * Lists the sessions for which neither made-up inputs nor samples were accepted. For their sake, the image has all of
   * stock's functions.
   */
  readonly unknown: readonly string[];
  /** `fusion` tells what became of the sums that were to be fused. */
  readonly fusion?: Fusion;
  /** Holds, by session, the part of the image's memory that creating the session has filled. */
  readonly shares: Readonly<Record<string, Uint8Array>>;
}

export interface Ingredients {
  readonly stock: Uint8Array;
  readonly models: Models;
  /** `samples` holds real inputs for some of the models. */
  readonly samples: Samples;
  /** `stated` holds, by session, the shapes of inputs as the card states them. Default: none. */
  readonly stated?: Readonly<Record<string, StatedShapes>>;
  /** `apart` lists, for each file of weights to be written, the sessions and their weights. Default: none. */
  readonly apart?: readonly ApartWeights[];
  /** Drops heap pages that no case reads. */
  readonly trim: boolean;
  /** Fuses sums with their products if the answers stay near enough. Default: false. */
  readonly fma?: boolean;
  /**
   * Shrinks a module. The caller may cache results, since models that differ only in their weights give the same
   * module.
   */
  readonly optimize: (module: Uint8Array) => Promise<Uint8Array>;
  readonly recall: Recall;
  readonly onStage: OnStage;
}

/** Weights that are stored beside the module. */
export interface ApartWeights {
  readonly sessions: readonly string[];
  readonly weights: readonly Weight[];
}

/** Returns what `make` gives, or what it gave earlier for the same inputs. `what` names the stage. */
export type Recall = (
  what: string,
  inputs: readonly Uint8Array[],
  make: () => Promise<Uint8Array>,
) => Promise<Uint8Array>;

/** The time at which the clock is frozen. Any moment will do, as long as it is always the same. */
const buildTime = 1_700_000_000_000;

/**
 * Makes and verifies an image.
 *
 * @throws VerificationError if the image differs from stock in anything
 */
export async function makeImage({
  stock,
  models,
  samples,
  stated = {},
  apart = [],
  trim,
  fma = false,
  optimize,
  recall,
  onStage,
}: Ingredients): Promise<EdgeImage> {
  const served = { models, shapeless: shapelessIn(models) };
  await using reference = new ReferenceThread({ stock, ...served });
  const runtime = await loadRuntime('unshared');
  onStage('instrument');
  const names = await findExports(runtime, stock);
  const instrumented = instrument(stock, names);
  onStage('boot');
  const bootTwin = (plan?: SealingPlan) => atTimeUntil(buildTime, () => bootWarm(runtime, instrumented, served, plan));
  const whole = await bootTwin();
  for (const [name, { inputs }] of Object.entries(whole.sessions)) {
    if (samples[name]) checkSamples(samples[name], inputs);
  }
  const allocations = whole.allocations();
  const wholeSnapshot = takeSnapshot(runtime, whole);
  const link = await findLink(runtime, stock, whole.called);
  onStage('profile');
  const blocks = Uint32Array.from(allocations, ({ size }) => size);
  const created = [whole.hits.marks(), new Uint8Array(blocks.buffer), encodeJson(inputsOf(whole))];
  const trials = new Trials({ ...whole, runtime }, async () => {
    const booted = await bootTwin();
    booted.hits.reset();
    return { ...booted, runtime };
  });
  const sizes = decodeJson(
    await recall('sizes', [...created, encodeJson([stated, shapesOf(samples)])], async () =>
      encodeJson(await findAllSizes(trials, models, { samples, stated })),
    ),
  ) as KnownSizes;
  const known = { samples, sizes };
  const inputs = [...created, encodeJson(sizes)];
  const marks = await recall('profile', inputs, () => profile(trials, known));
  const unknown = Object.keys(sizes).filter((name) => sizes[name]?.answered === false);
  const kept = unknown.length > 0 ? new Set(marks.keys()) : markedNumbers(marks);
  const stubbed = replaceGemm(stub(stock, kept, names, wholeSnapshot.globals));
  onStage('seal');
  const [armCount, entryCount] = [countArms(stubbed), countEntries(stubbed)];
  const planned = await recall('seal', [stubbed, ...inputs], async () => {
    // No case was answered, so that what an answer would read is unknown: everything is kept.
    if (unknown.length > 0) return new Uint8Array(allocations.length + armCount + entryCount);
    const manifest = describeImage(runtime, whole, wholeSnapshot, link);
    const traced = await traceImage({ runtime, manifest, known }, stubbed, wholeSnapshot);
    const calls = planSealing(wholeSnapshot, allocations, traced);
    const reads = traced.reads.subarray(0, Math.floor(wholeSnapshot.heapStart / granuleBytes));
    return concat([calls, reads, traced.arms.subarray(0, armCount), traced.entries.subarray(0, entryCount)]);
  });
  const calls = planned.subarray(0, allocations.length);
  const reads = planned.subarray(allocations.length, planned.length - entryCount - armCount);
  const [arms, entries] = [planned.subarray(-entryCount - armCount, -entryCount), planned.subarray(-entryCount)];
  const booted = await bootTwin({ calls, bytes: sealedBytes(calls, allocations) });
  const snapshot = takeSealedSnapshot(booted, wholeSnapshot);
  onStage('optimize');
  const spared = allocatorIn(stubbed, names);
  const shrink = async (module: Uint8Array): Promise<Codes> => {
    const code = await optimize(module);
    // No case was answered, so that the branches that lead to an answer are unknown: all are kept.
    if (unknown.length > 0) return { code, cut: code };
    return { code, cut: await optimize(cutTable(cutBranches(module, arms, spared), entries)) };
  };
  const { code, cut } = await shrink(stubbed);
  const complete = describeImage(runtime, booted, snapshot, link);
  const proof = { runtime, manifest: complete, reference, known, onStage };
  const texts = unreadTexts(snapshot.memory, reads);
  const memory = zeroPages(trim ? await trimMemory(proof, code, snapshot) : snapshot.memory, texts);
  onStage('bake');
  const taken = apart.map(({ sessions, weights }) => takeWeights(memory, weights, ownershipOf(booted, sessions)));
  const stored = taken.map(({ bytes }) => bytes);
  const manifest = { ...complete, weights: taken.map(({ pieces }) => pieces) };
  // The texts are poisoned in this image and zeroed in the final one, so that a case that reads them fails here.
  const poisoned = bake(code, poisonPages(memory, texts));
  const verified = await verifyImage({ ...proof, manifest }, 'verify', { wasm: poisoned, stored });
  const modules = { wasm: bake(cut, memory), ...(cut !== code && { whole: code }), stored };
  const isProven = cut === code || (await isVerified({ ...proof, manifest }, modules));
  const exact = isProven ? modules : { wasm: bake(code, memory), stored };
  const fused = fma && (await fusedWhereProven({ ...proof, manifest }, { stubbed, shrink, memory, exact }));
  return {
    ...(fused ? { ...fused.modules, fusion: fused.fusion } : exact),
    manifest,
    functions: { kept: kept.size, stock: whole.hits.size },
    verified,
    sizes,
    unknown,
    // Data that several sessions have is not counted as one session's share.
    shares: sessionShares({ memory: withoutRepeats(memory, repeatsIn(memory)) }, booted),
  };
}

/**
 * Boots and warms up every session. The first runs make caches that every later run reads; the snapshot holds these and
 * the tensors for single samples.
 *
 * @param cold sessions that trap on zeros, and are not warmed up
 */
async function bootWarm(
  runtime: Runtime,
  instrumented: Uint8Array,
  served: Served,
  plan?: SealingPlan,
  cold: ReadonlySet<string> = new Set(),
): Promise<Booted> {
  const started = await boot(runtime, instrumented, served, plan);
  const booted = { ...started, sessions: bindAll(runtime, started) };
  started.called.clear();
  for (const [name, session] of runtime.sessionsOf(booted)) {
    if (cold.has(name)) continue;
    try {
      runtime.warmUp(session);
    } catch {
      return bootWarm(runtime, instrumented, served, plan, new Set([...cold, name]));
    }
  }
  return booted;
}

async function findAllSizes(
  trials: Trials<Subject>,
  models: Models,
  { samples, stated = {} }: Pick<Ingredients, 'samples' | 'stated'>,
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

function bindAll(runtime: Runtime, { instance, sessions }: Booted): Booted['sessions'] {
  const bindOne = ([name, record]: [string, SessionRecord]) => {
    const binding = runtime.bind(instance, record);
    return [name, { ...record, ...(binding && { binding }) }] as const;
  };
  return Object.fromEntries(Object.entries(sessions).map(bindOne));
}

function describeImage(
  runtime: Runtime,
  { instance, sessions }: Booted,
  { memory }: Snapshot,
  names: LinkNames,
): ImageManifest {
  const pages = memory.length / runtime.pageBytes;
  if (pages > runtime.memoryCapPages) {
    const mebibytes = (count: number) => `${Math.ceil((count * runtime.pageBytes) / 2 ** 20)} MiB`;
    const room = mebibytes(runtime.memoryCapPages);
    throw unexpected('models', `at most ${room} of memory, which is what a Worker has`, mebibytes(pages));
  }
  return { pages, names, runOptions: instance.runOptions, sessions, weights: [] };
}

/**
 * Returns the snapshot's memory without the heap pages that no case reads, once the image has passed with these pages
 * poisoned.
 */
async function trimMemory(proof: Proof, code: Uint8Array, snapshot: Snapshot): Promise<Uint8Array> {
  proof.onStage('trim');
  const { reads } = await traceImage(proof, code, snapshot);
  const pages = unreadPages(snapshot.memory, reads);
  await verifyImage(proof, 'verify poisoned', {
    wasm: bake(code, poisonPages(snapshot.memory, pages)),
    stored: [],
  });
  return zeroPages(snapshot.memory, pages);
}

/** Performs all cases, and some requests more, on an image that records what it reads and which branches it takes. */
async function traceImage(
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
