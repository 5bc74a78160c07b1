/** The files of an image: their names, and how weights are cut into files. */

import { hash } from 'node:crypto';

import { at } from '../../training/arrays/index.ts';
import type { LateWeights } from './runtime/index.ts';

/** Maps file names to contents. */
export type EmittedFiles = Readonly<Record<string, string | Uint8Array>>;

/** A file of an image. */
type File = readonly [name: string, content: Uint8Array];

/** Is true if a file of an image is a WebAssembly module. */
export const isModule = (name: string): boolean => name.endsWith('.wasm');

const programPrefix = 'program-';

/** Returns the programs beside `image.wasm` as files. */
export const programFiles = (programs: readonly Uint8Array[]): readonly File[] =>
  programs.map((wasm, i) => [`${programPrefix}${i}.wasm`, wasm]);

const weightsPrefix = 'weights-';

/** Is true if a file of an image holds weights that are part of the script. */
export const isWeights = (name: string): boolean => name.startsWith(weightsPrefix);

/** Names a model whose weights are static assets, with its sessions. */
export interface InAssets {
  readonly path: string;
  readonly sessions: readonly string[];
}

/** The weights of an image as files. */
export interface WeightFiles {
  /** `own` lists the files that are part of the script. */
  readonly own: readonly File[];
  readonly assets: readonly File[];
  /** `late` describes the weights in static assets. */
  readonly late: readonly LateWeights[];
  /** Maps each session whose weights come later to the index of its file. */
  readonly lateSessions: Readonly<Record<string, number>>;
}

/** @param inAssets lists the models whose weights are the last in `stored` */
export function weightFiles(stored: readonly Uint8Array[], inAssets: readonly InAssets[]): WeightFiles {
  const first = stored.length - inAssets.length;
  const apart = inAssets.map(({ path }, i) => partsOf(path, first + i, at(stored, first + i)));
  return {
    own: stored.slice(0, first).map((bytes, i) => [`${weightsPrefix}${i}.bin`, bytes]),
    assets: apart.flatMap(({ files }) => files),
    late: apart.map(({ weights }) => weights),
    lateSessions: Object.fromEntries(
      inAssets.flatMap(({ sessions }, i) => sessions.map((name) => [name, first + i] as const)),
    ),
  };
}

/** The maximum size of a static asset. https://developers.cloudflare.com/workers/platform/limits/#static-assets */
const maxBytes = 25 * 2 ** 20;

/**
 * Cuts a model's weights into assets. Each is named after its content's hash, so that an older Worker still finds its
 * own weights, or none at all.
 */
function partsOf(path: string, file: number, stored: Uint8Array) {
  const contents = Array.from({ length: Math.ceil(stored.length / maxBytes) }, (_, i) =>
    stored.subarray(i * maxBytes, (i + 1) * maxBytes),
  );
  const parts = contents.map((content) => {
    const sha256 = hash('sha256', content);
    return { name: `${sha256}.bin`, sha256, content };
  });
  const weights: LateWeights = { path, file, parts: parts.map(({ name, sha256 }) => ({ name, sha256 })) };
  return { weights, files: parts.map(({ name, content }) => [`${assetsFolder}${name}`, content] as const) };
}

/** The folder of assets in an image. The Worker requests paths relative to `assets`. */
const assetsFolder = 'assets/weights/';

/** Is true if a file of an image holds weights that are static assets. */
export const isAsset = (name: string): boolean => name.startsWith(assetsFolder);
