/** Describes models and images for the report of a build. */

import { gzipSync } from 'node:zlib';

import type { ModelFolder } from '../store/registry.ts';
import type { BuiltImage, BuiltModel } from './built.ts';
import { isAsset, isModule, isWeights } from './emitted-files.ts';
import type { EmittedFiles } from './emitted-files.ts';

export const unbuilt = { version: '', gzipBytes: 0, twin: false, engine: 'onnxruntime', cases: 0, ok: false } as const;

export const sessionNames = (model: ModelFolder): readonly string[] =>
  Object.keys(model.files).map((file) => sessionName(model, file));

/**
 * Describes a model for the build's report.
 *
 * @param parts what the image holds for this model, apart from the model's entry in `image.mjs`
 */
export function describeModel({ about, files }: ModelFolder, parts: readonly Uint8Array[], cases: number): BuiltModel {
  const { name, path, version } = about;
  const gzipBytes = [...parts, JSON.stringify(about)].reduce((sum, part) => sum + gzipSync(part).length, 0);
  const rounded = about.weights && { weights: about.weights };
  return {
    name,
    path,
    version,
    gzipBytes,
    twin: 'switchable' in files,
    ...(about.monitor && { monitored: true }),
    ...rounded,
    engine: 'onnxruntime',
    cases,
    ok: true,
  };
}

export const sessionName = ({ about }: ModelFolder, file: string): string => `${about.path}/${file}`;

/** Counts the bytes of an image's files. */
export function sizesOf(files: EmittedFiles): BuiltImage['bytes'] {
  const contents = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
  const named = (isMeant: (name: string) => boolean) => contents.filter(({ name }) => isMeant(name));
  const [wasm, module, weights] = [named(isModule), named((name) => name === 'image.mjs'), named(isWeights)];
  const bytes = (some: typeof contents): number => some.reduce((sum, { content }) => sum + content.length, 0);
  return {
    assets: bytes(named(isAsset)),
    wasm: bytes(wasm),
    module: bytes(module),
    weights: bytes(weights),
    gzip: [...wasm, ...module, ...weights].reduce((sum, { content }) => sum + gzipSync(content).length, 0),
  };
}
