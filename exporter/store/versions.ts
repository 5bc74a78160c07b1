/**
 * Handles a model's folder and the versions in it. The layout is the one that the registry reads:
 *
 *     models/<name>/…                the current version: model.onnx, card.json, …
 *     models/<name>/versions/<v>/…   the version before, kept so that both answer and a rollback is possible
 *
 * One earlier version is kept: each one costs the Worker its size and its memory. Older ones are in the history of Git.
 */
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBytes } from '../../training/files/index.ts';
import { cardFile, emptyCard, type ModelCard, parseCard } from './card.ts';
import { requireModelName } from './model-name.ts';
import { modelFileAmong } from './models-folder.ts';
import { samplesFile } from './samples.ts';

/** Maps paths inside the folder, with `/` between their parts, to contents. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** @returns no files if there is no such folder */
export async function readFolder(models: string, name: string): Promise<Files> {
  requireModelName('--name', name);
  const folder = join(models, name);
  if (!existsSync(folder)) return new Map();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    // A link to a file is read as that file, as a build reads it.
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  const keyOf = (path: string) => path.slice(folder.length + 1).replaceAll('\\', '/');
  return new Map(await Promise.all(paths.sort().map(async (path) => [keyOf(path), await readBytes(path)] as const)));
}

/** Returns the files of the current version. */
const currentOf = (files: Files): Files => pick(files, (path) => (path.startsWith('versions/') ? undefined : path));

/**
 * Returns the files that a user has added to the current version's own, such as notes. They stay when the model is
 * replaced.
 */
export const othersOf = (files: Files): Files => {
  const own = new Set([modelFileAmong(files.keys()), cardFile, samplesFile, ...Object.keys(cardOf(files).files ?? {})]);
  return pick(files, (path) => (isFormer(path) || own.has(path) ? undefined : path));
};

/** Returns the files of the version before, under their paths in the folder. */
export const keptOf = (files: Files): Files => pick(files, (path) => (isFormer(path) ? path : undefined));

/**
 * Lists the versions in a model's folder, each with its path: the current one, which may have no files, then those that
 * are kept.
 */
export function versionsIn(folder: string, files: Files): readonly (readonly [folder: string, files: Files])[] {
  const kept = new Set([...keptOf(files).keys()].map((path) => path.split('/', 2).join('/')));
  const own = (prefix: string) =>
    pick(files, (path) => (path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : undefined));
  return [[folder, currentOf(files)], ...[...kept].map((prefix) => [join(folder, prefix), own(prefix)] as const)];
}

/**
 * Returns the folder after a release: `fresh` is current, and the version that was current is kept in place of the one
 * kept before.
 */
export function folderAfterRelease(files: Files, fresh: Files): Files {
  const [current, others] = [currentOf(files), othersOf(files)];
  if (!current.has(modelFileAmong(current.keys())) && !current.has(cardFile)) return new Map([...others, ...fresh]);
  const kept = `versions/${versionOf(current)}`;
  return new Map([...others, ...fresh, ...pick(current, (path) => `${kept}/${path}`)]);
}

/**
 * Returns the version that the card states, or the first.
 *
 * @param folder names the card in messages
 * @throws UserError if the card is not valid
 */
export const versionOf = (files: Files, folder?: string): string => cardOf(files, folder).version;

/**
 * Returns the current version's card. A model from elsewhere may have a shorter card, or none.
 *
 * @param folder names the card in messages
 * @throws UserError if it is not valid
 */
export function cardOf(files: Files, folder = ''): ModelCard {
  const card = files.get(cardFile);
  return card ? parseCard(join(folder, cardFile), card) : emptyCard;
}

/**
 * Returns a number above all that are in the folder or known to have been deployed, so that a number never names two
 * models.
 */
export function nextVersion(files: Files, deployed: readonly string[] = []): string {
  const known = [...(files.size > 0 ? [versionOf(files)] : []), formerVersion(files) ?? '', ...deployed];
  return String(1 + Math.max(0, ...known.map(Number).filter(Number.isSafeInteger)));
}

/** Returns the number of the version before, if one is kept. */
export function formerVersion(files: Files): string | undefined {
  return [...files.keys()].find(isFormer)?.split('/')[1];
}

/** Is true for a file of a kept version, and false for what file managers leave in the folder of versions. */
const isFormer = (path: string): boolean => /^versions\/[^/.][^/]*\/./.test(path);

/** Returns the files under new paths, without those that `pathOf` maps to undefined. */
export const pick = (files: Files, pathOf: (path: string) => string | undefined): Files =>
  new Map(
    [...files].flatMap(([path, bytes]) => {
      const target = pathOf(path);
      return target === undefined ? [] : [[target, bytes] as const];
    }),
  );
