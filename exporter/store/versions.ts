/**
 * A model's folder and the versions in it. The layout is the one the registry reads:
 *
 *     models/<name>/…                the current version: model.onnx, card.json, …
 *     models/<name>/versions/<v>/…   the version before, kept so that both answer and a rollback is possible
 *
 * One earlier version is kept: each one costs the Worker its size and its memory. Older ones are in the history of Git.
 */
import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readBytes, unexpected } from '../../training/files/index.ts';
import { cardFile, emptyCard, type ModelCard, parseCard } from './card.ts';
import { requireModelName } from './model-name.ts';
import { modelFileAmong } from './models-folder.ts';
import { samplesFile } from './samples.ts';

/** Contents by their path inside the folder, with `/` between its parts. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** @returns no files where there is no such folder */
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

/** The files of the current version. */
export const currentOf = (files: Files): Files =>
  pick(files, (path) => (path.startsWith('versions/') ? undefined : path));

/** What somebody has put beside the current version's own files, such as notes: it stays, whatever takes the model's place. */
export const othersOf = (files: Files): Files => {
  const own = new Set([modelFileAmong(files.keys()), cardFile, samplesFile, ...Object.keys(cardOf(files).files ?? {})]);
  return pick(files, (path) => (isFormer(path) || own.has(path) ? undefined : path));
};

/** The files that are kept of the version before, as they lie in the folder. */
export const keptOf = (files: Files): Files => pick(files, (path) => (isFormer(path) ? path : undefined));

/** The versions in a model's folder, each with where it lies: the current one, which may have no files, then those that are kept. */
export function versionsIn(folder: string, files: Files): readonly (readonly [folder: string, files: Files])[] {
  const kept = new Set([...keptOf(files).keys()].map((path) => path.split('/', 2).join('/')));
  const own = (prefix: string) =>
    pick(files, (path) => (path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : undefined));
  return [[folder, currentOf(files)], ...[...kept].map((prefix) => [join(folder, prefix), own(prefix)] as const)];
}

/** The folder after a release: `fresh` is current, and what was current is kept in place of what was kept before. */
export function release(files: Files, fresh: Files): Files {
  const [current, others] = [currentOf(files), othersOf(files)];
  if (!current.has(modelFileAmong(current.keys())) && !current.has(cardFile)) return new Map([...others, ...fresh]);
  const kept = `versions/${versionOf(current)}`;
  return new Map([...others, ...fresh, ...pick(current, (path) => `${kept}/${path}`)]);
}

/**
 * The folder after a rollback: the current version and the one before have changed places.
 * @throws UserError where none is kept
 */
export function rollback(where: string, files: Files): Files {
  const version = formerVersion(files);
  if (version === undefined) throw unexpected(where, 'an earlier version to go back to', 'none');
  const prefix = `versions/${version}/`;
  const former = pick(files, (path) => (path.startsWith(prefix) ? path.slice(prefix.length) : undefined));
  for (const [folder, each] of [
    [where, files],
    [join(where, prefix), former],
  ] as const)
    cardOf(each, folder);
  return release(files, former);
}

/**
 * What its card says, or the first.
 * @param folder names the card in messages
 * @throws UserError where the card is none
 */
export const versionOf = (files: Files, folder?: string): string => cardOf(files, folder).version;

/**
 * The current version's card; a model from elsewhere may have a shorter one, or none.
 * @param folder names the card in messages
 * @throws UserError where it is none
 */
export function cardOf(files: Files, folder = ''): ModelCard {
  const card = files.get(cardFile);
  return card ? parseCard(join(folder, cardFile), card) : emptyCard;
}

/**
 * Above all that are in the folder, and all others that are known to have been deployed: a number never names two models.
 */
export function nextVersion(files: Files, deployed: readonly string[] = []): string {
  const known = [...(files.size > 0 ? [versionOf(files)] : []), formerVersion(files) ?? '', ...deployed];
  return String(1 + Math.max(0, ...known.map(Number).filter(Number.isSafeInteger)));
}

function formerVersion(files: Files): string | undefined {
  return [...files.keys()].find(isFormer)?.split('/')[1];
}

/** Not what file managers leave in the folder of versions. */
const isFormer = (path: string): boolean => /^versions\/[^/.][^/]*\/./.test(path);

/** Files under new paths; those without one are left out. */
const pick = (files: Files, pathOf: (path: string) => string | undefined): Files =>
  new Map(
    [...files].flatMap(([path, bytes]) => {
      const target = pathOf(path);
      return target === undefined ? [] : [[target, bytes] as const];
    }),
  );
