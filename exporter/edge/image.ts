/** Makes a specialised image of stock module and models, stage by stage, and proves it. Touches no files. */

import { bake } from './bake.ts';
import { boot } from './boot.ts';
import type { Booted } from './boot.ts';
import { loadRuntime } from './bundle.ts';
import type { Runtime } from './bundle.ts';
import { withClock } from './clock.ts';
import { instrument } from './instrument.ts';
import { findExports } from './names.ts';
import { profile } from './profile.ts';
import type { ImageManifest, Models } from './runtime/index.ts';
import type { Samples } from './samples.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { stub } from './stub.ts';
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
  /** Shrinks a module; the caller may remember results, since the same models in another state give the same module. */
  readonly optimize: (module: Uint8Array) => Promise<Uint8Array>;
  readonly onStage: (stage: string) => void;
}

/** Any moment will do, as long as it is always the same. */
const buildTime = 1_700_000_000_000;

/** @throws VerificationError if the image differs from stock in anything */
export async function makeImage({ stock, models, samples, optimize, onStage }: Ingredients): Promise<EdgeImage> {
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
  const wasm = bake(code, snapshot.memory);
  const manifest = describeImage(runtime, booted, snapshot);
  onStage('verify');
  const verifiedCases = await verifyImage(runtime, { wasm, manifest }, stock, models, samples);
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

async function verifyImage(
  runtime: Runtime,
  { wasm, manifest }: Pick<EdgeImage, 'wasm' | 'manifest'>,
  stock: Uint8Array,
  models: Models,
  samples: Samples,
): Promise<number> {
  const stockRuntime = await loadRuntime('shared');
  const stockModule = new WebAssembly.Module(stock);
  const reference = await stockRuntime.startStock((imports) => new WebAssembly.Instance(stockModule, imports), models);
  const image = await runtime.startImage(new WebAssembly.Module(wasm), manifest);
  return verify({ ...reference, runtime: stockRuntime }, { ...image, runtime }, samples);
}
