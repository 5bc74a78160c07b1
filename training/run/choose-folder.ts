/**
 * Chooses the folder of a run. Unless the user asks for it, a run never replaces another one, nor writes among files
 * that do not belong to a run.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { at } from '../arrays/index.ts';
import { cannotRead, parseJson, printable, quote, readBytes, unexpected } from '../files/index.ts';
import { isHeld } from '../process/index.ts';
import { asideFolder, configFile, lockFile, tensorFiles, trialsFolder } from './run-folder.ts';

export interface FolderChoice {
  readonly out?: string | undefined;
  readonly resume?: boolean | undefined;
  readonly overwrite?: boolean | undefined;
}

/**
 * Returns the folder of a run.
 *
 * @param name of the network, which names the default folder
 * @param note receives a line when another folder than requested is chosen
 * @throws UserError for a folder that holds something else
 */
export async function chooseFolder(
  { out, resume = false, overwrite = false }: FolderChoice,
  name: string,
  note: (line: string) => void,
): Promise<string> {
  if (out === '') throw unexpected('--out', 'a folder', '""');
  const wanted = out ?? join('runs', folderName(name));
  const content = await contentOf(wanted);
  if (content === 'run' && !resume && !overwrite) {
    const next = await nextFree(wanted);
    note(`${wanted} holds a run: this one goes into ${next}; --overwrite replaces the other, --resume continues it`);
    return next;
  }
  return wanted;
}

async function nextFree(wanted: string): Promise<string> {
  for (let number = 2; ; number++) {
    const folder = `${wanted}-${number}`;
    if (!existsSync(folder) || (await contentOf(folder)) === 'nothing') return folder;
  }
}

/**
 * Tells whether a folder holds a run. A run that ended before its first epoch counts as nothing, since it has nothing
 * to lose.
 */
async function contentOf(folder: string): Promise<'run' | 'nothing'> {
  if (!existsSync(folder)) return 'nothing';
  const names = await readdir(folder).catch((error: unknown) => {
    throw cannotRead(folder, error);
  });
  if ([...tensorFiles, trialsFolder, asideFolder].some((name) => names.includes(name))) return 'run';
  if (isHeld(join(folder, lockFile))) return 'run';
  const others = names.filter((name) => !name.startsWith('.'));
  if (others.length === 0 || (await isConfiguration(join(folder, configFile)))) return 'nothing';
  throw unexpected('--out', `a new folder, or one that holds a run`, `${folder}, which holds ${quote(at(others, 0))}`);
}

async function isConfiguration(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  try {
    const found = parseJson(new TextDecoder().decode(await readBytes(path)), path);
    return typeof found === 'object' && found !== null && 'network' in found && 'config' in found && 'sha256' in found;
  } catch {
    return false;
  }
}

/** Returns a name as a file system allows it. */
export const folderName = (name: string): string =>
  printable(name)
    .replaceAll(/[/\\:*?"<>|]/g, '-')
    .replace(/^\.+/, '')
    .replace(/[. ]+$/, '') || 'run';
