/** Makes a specialised image of stock module and models, stage by stage, and proves it. Touches no files. */

import { bake } from './bake.ts';
import { boot } from './boot.ts';
import type { Booted } from './boot.ts';
import { loadRuntime } from './bundle.ts';
import type { Runtime } from './bundle.ts';
import { allCases } from './cases.ts';
import type { Subject } from './cases.ts';
import { withClock } from './clock.ts';
import { instrument } from './instrument.ts';
import { findExports } from './names.ts';
import { profile } from './profile.ts';
import type { ImageManifest, Models } from './runtime/index.ts';
import type { Samples } from './samples.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { stub } from './stub.ts';
import { marksExport, traceReads } from './trace.ts';
import { poisonPages, unreadPages, zeroPages } from './trim.ts';
import { verify } from './verify.ts';

export interface EdgeImage {
  readonly wasm: Uint8Array;
  readonly manifest: ImageManifest;
  readonly functions: { readonly kept: number; readonly stock: number };
  /** How many cases gave the same bits or the same error as stock. */
  readonly verifiedCases: number;
}

export interface Ingredients {
  readonly stock: Uint8Array;
  readonly models: Models;
  readonly samples: Samples;
  /** Drop heap pages that no case reads. */
  readonly trim: boolean;
  /** Shrinks a module; the caller may remember results, since the same models in another state give the same module. */
  readonly optimize: (module: Uint8Array) => Promise<Uint8Array>;
  readonly onStage: (stage: string) => void;
}

/** Any moment will do, as long as it is always the same. */
const buildTime = 1_700_000_000_000;

/** @throws VerificationError if the image differs from stock in anything */
export async function makeImage({ stock, models, samples, trim, optimize, onStage }: Ingredients): Promise<EdgeImage> {
  const runtime = await loadRuntime('unshared');
  onStage('instrument');
  const names = await findExports(runtime, stock);
  const instrumented = instrument(stock, names);
  onStage('boot');
  const booted = await withClock(buildTime, () => bootWarm(runtime, instrumented, models));
  onStage('snapshot');
  const snapshot = takeSnapshot(runtime, booted);
  onStage('profile');
  const kept = await profile(runtime, booted);
  onStage('optimize');
  const code = await optimize(stub(stock, kept, names, snapshot.globals));
  onStage('bake');
  const manifest = describeImage(runtime, booted, snapshot);
  const proof = { runtime, manifest, reference: await startReference(stock, models), samples };
  const memory = trim ? await trimMemory(proof, code, snapshot, onStage) : snapshot.memory;
  const wasm = bake(code, memory);
  onStage('verify');
  const verifiedCases = await verifyImage(proof, wasm);
  return { wasm, manifest, functions: { kept: kept.size, stock: booted.hits.size }, verifiedCases };
}

/** The first runs make caches that every later run reads; the snapshot holds them. */
async function bootWarm(runtime: Runtime, instrumented: Uint8Array, models: Models): Promise<Booted> {
  const booted = await boot(runtime, instrumented, models);
  for (const session of runtime.sessionsOf(booted).values()) runtime.warmUp(session);
  return booted;
}

function describeImage(runtime: Runtime, { instance, sessions }: Booted, { memory }: Snapshot): ImageManifest {
  const pages = memory.length / runtime.pageBytes;
  if (pages > runtime.memoryCapPages) {
    const mebibytes = (count: number) => `${Math.ceil((count * runtime.pageBytes) / 2 ** 20)} MiB`;
    throw new Error(`models: expected at most ${mebibytes(runtime.memoryCapPages)} of memory, got ${mebibytes(pages)}`);
  }
  return { pages, runOptions: instance.runOptions, sessions };
}

/** What an image is verified with. */
interface Proof {
  readonly runtime: Runtime;
  readonly manifest: ImageManifest;
  readonly reference: Subject;
  readonly samples: Samples;
}

async function startReference(stock: Uint8Array, models: Models): Promise<Subject> {
  const runtime = await loadRuntime('shared');
  const module = new WebAssembly.Module(stock);
  return { ...(await runtime.startStock((imports) => new WebAssembly.Instance(module, imports), models)), runtime };
}

async function verifyImage({ runtime, manifest, reference, samples }: Proof, wasm: Uint8Array): Promise<number> {
  const image = await runtime.startImage(new WebAssembly.Module(wasm), manifest);
  return verify(reference, { ...image, runtime }, samples);
}

/** The snapshot's memory without the heap pages that no case reads, after the gate of the poisoned ones. */
async function trimMemory(
  proof: Proof,
  code: Uint8Array,
  snapshot: Snapshot,
  onStage: Ingredients['onStage'],
): Promise<Uint8Array> {
  onStage('trace');
  const pages = unreadPages(snapshot, await traceImage(proof, bake(traceReads(code), snapshot.memory)));
  onStage('verify poisoned');
  await verifyImage(proof, bake(code, poisonPages(snapshot.memory, pages)));
  return zeroPages(snapshot.memory, pages);
}

/** @returns the marks that performing every case leaves */
async function traceImage({ runtime, manifest }: Proof, wasm: Uint8Array): Promise<Uint8Array> {
  const image = await runtime.startImage(new WebAssembly.Module(wasm), manifest);
  const subject = { ...image, runtime };
  for (const { perform } of allCases(subject)) perform(subject);
  const marks = image.exports[marksExport];
  if (!(marks instanceof WebAssembly.Memory)) throw new Error('internal: expected the marks of a traced image');
  return new Uint8Array(marks.buffer);
}
