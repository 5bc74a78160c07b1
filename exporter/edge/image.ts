/**
 * Makes a specialised image from the stock module and the models, stage by stage, and proves it. It touches no files.
 */

import type { Fusion } from './built.ts';
import { loadRuntime } from './bundle.ts';
import type { Runtime } from './bundle.ts';
import { ReferenceThread } from './cases/reference.ts';
import { checkSamples } from './cases/samples.ts';
import type { Samples } from './cases/samples.ts';
import type { KnownSizes } from './cases/sizes.ts';
import type { Verified } from './cases/verify.ts';
import { fusedWhereProven } from './fused.ts';
import type { Codes, Fusing } from './fused.ts';
import type { Ingredients } from './ingredients.ts';
import { isVerified, verifyImage } from './proof.ts';
import type { Proof } from './proof.ts';
import { findFunctions, findReads, traceImage } from './reach.ts';
import type { FirstBoot } from './reach.ts';
import type { ImageManifest, LinkNames } from './runtime/index.ts';
import { shapelessIn } from './shapeless.ts';
import type { SealingPlan } from './stages/allocations.ts';
import { allocatorIn } from './stages/allocator.ts';
import { bake } from './stages/bake.ts';
import { bootWarm } from './stages/boot.ts';
import type { Booted } from './stages/boot.ts';
import { cutBranches } from './stages/branches.ts';
import { atTimeUntil } from './stages/clock.ts';
import { replaceGemm } from './stages/gemm.ts';
import { instrument } from './stages/instrument.ts';
import { findLink } from './stages/link.ts';
import { findExports } from './stages/names.ts';
import { repeatsIn, withoutRepeats } from './stages/repeats.ts';
import { sealedBytes } from './stages/seal.ts';
import { ownershipOf, sessionShares } from './stages/shares.ts';
import { takeSealedSnapshot, takeSnapshot } from './stages/snapshot.ts';
import type { Snapshot } from './stages/snapshot.ts';
import { stub } from './stages/stub.ts';
import { cutTable } from './stages/table.ts';
import { poisonPages, unreadPages, unreadTexts, zeroPages } from './stages/unread-memory.ts';
import type { Page } from './stages/unread-memory.ts';
import { takeWeights } from './stages/take-weights.ts';
import type { StoredWeights } from './stages/take-weights.ts';
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
  /** `fusion` says which sums were fused, or why none was. */
  readonly fusion?: Fusion;
  /** Holds, by session, the part of the image's memory that creating the session has filled. */
  readonly shares: Readonly<Record<string, Uint8Array>>;
}

/** The time at which the clock is frozen. Any moment will do, as long as it is always the same. */
const buildTime = 1_700_000_000_000;

/**
 * Makes and verifies an image.
 *
 * @throws VerificationError if the image differs from stock in anything
 */
export async function makeImage(ingredients: Ingredients): Promise<EdgeImage> {
  const { stock, models, samples, apart = [], trim, fma = false, onStage } = ingredients;
  const served = { models, shapeless: shapelessIn(models) };
  await using reference = new ReferenceThread({ stock, ...served });
  const runtime = await loadRuntime('unshared');
  onStage('instrument');
  const names = await findExports(runtime, stock);
  const instrumented = instrument(stock, names);
  onStage('boot');
  const bootAgain = (plan?: SealingPlan) => atTimeUntil(buildTime, () => bootWarm(runtime, instrumented, served, plan));
  const unsealed = await bootAgain();
  checkAllSamples(samples, unsealed);
  const allocations = unsealed.allocations();
  const unsealedSnapshot = takeSnapshot(runtime, unsealed);
  const link = await findLink(runtime, stock, unsealed.called);
  onStage('profile');
  const first: FirstBoot = { runtime, booted: unsealed, allocations, snapshot: unsealedSnapshot, bootAgain };
  const reach = await findFunctions(first, ingredients);
  const stubbed = replaceGemm(stub(stock, reach.kept, names, unsealedSnapshot.globals));
  onStage('seal');
  const manifest = describeImage(runtime, unsealed, unsealedSnapshot, link);
  const { calls, reads, arms, entries } = await findReads(first, manifest, reach, stubbed, ingredients.recall);
  const booted = await bootAgain({ calls, bytes: sealedBytes(calls, allocations) });
  const snapshot = takeSealedSnapshot(booted, unsealedSnapshot);
  onStage('optimize');
  const allocator = allocatorIn(stubbed, names);
  const shrink = async (module: Uint8Array): Promise<Codes> => {
    const code = await ingredients.optimize(module);
    // No case was answered, so that the branches that lead to an answer are unknown: all are kept.
    if (reach.unknown.length > 0) return { code, cut: code };
    return { code, cut: await ingredients.optimize(cutTable(cutBranches(module, arms, allocator), entries)) };
  };
  const codes = await shrink(stubbed);
  const sealed = describeImage(runtime, booted, snapshot, link);
  const proof = { runtime, manifest: sealed, reference, known: reach.known, onStage };
  const texts = unreadTexts(snapshot.memory, reads);
  const memory = zeroPages(trim ? await trimMemory(proof, codes.code, snapshot) : snapshot.memory, texts);
  onStage('bake');
  // This zeroes the weights in memory, which is then no part of the sessions' shares.
  const taken = apart.map(({ sessions, weights }) => takeWeights(memory, weights, ownershipOf(booted, sessions)));
  return {
    ...(await bakeProven(proof, { stubbed, shrink, codes, memory, texts, taken }, fma)),
    functions: { kept: reach.kept.size, stock: unsealed.hits.size },
    sizes: reach.known.sizes,
    unknown: reach.unknown,
    // Data that several sessions have is not counted as one session's share.
    shares: sessionShares({ memory: withoutRepeats(memory, repeatsIn(memory)) }, booted),
  };
}

/** @throws UserError if the samples of a model do not fit it */
function checkAllSamples(samples: Samples, { sessions }: Booted): void {
  for (const [name, { inputs }] of Object.entries(sessions)) {
    if (samples[name]) checkSamples(samples[name], inputs);
  }
}

/** Holds all that an image is baked from. */
interface Parts extends Omit<Fusing, 'exact'> {
  /** `codes` is made from `stubbed`. */
  readonly codes: Codes;
  /** `texts` lists the static data that no case reads. */
  readonly texts: readonly Page[];
  readonly taken: readonly StoredWeights[];
}

/**
 * Bakes and proves the image with all of its code, then without the branches that no case takes, then with fused sums.
 * The first must pass; each of the others is chosen if it passes, too.
 */
async function bakeProven(
  sealed: Proof,
  { stubbed, shrink, codes: { code, cut }, memory, texts, taken }: Parts,
  fma: boolean,
): Promise<Pick<EdgeImage, 'wasm' | 'whole' | 'stored' | 'manifest' | 'verified' | 'fusion'>> {
  const stored = taken.map(({ bytes }) => bytes);
  const manifest = { ...sealed.manifest, weights: taken.map(({ pieces }) => pieces) };
  const proof = { ...sealed, manifest };
  // The texts are poisoned in this image and zeroed in the final one, so that a case that reads them fails here.
  const poisoned = bake(code, poisonPages(memory, texts));
  const verified = await verifyImage(proof, 'verify', { wasm: poisoned, stored });
  const modules = { wasm: bake(cut, memory), ...(cut !== code && { whole: code }), stored };
  const isProven = cut === code || (await isVerified(proof, modules));
  const exact = isProven ? modules : { wasm: bake(code, memory), stored };
  const fused = fma && (await fusedWhereProven(proof, { stubbed, shrink, memory, exact }));
  return { ...(fused ? { ...fused.modules, fusion: fused.fusion } : exact), manifest, verified };
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
