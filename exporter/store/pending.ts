/**
 * A folder that has taken the place of another until it is known whether it stays: `.<name>.former` beside it holds what stood there,
 * and what is to be known. A process that is killed leaves it for the next one.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { checkedJson, readBytes, writeAtomically } from '../../training/files/index.ts';
import { changePlaces, put } from './replace-folder.ts';

/** What is to be found out. */
export interface Pending {
  /** Of the Worker's version that holds the folder's files, where it has been deployed. */
  readonly tag: string;
  /** What that version is called. */
  readonly message: string;
}

const pendingSchema = z.object({ tag: z.string(), message: z.string() });

const former = (parent: string, name: string): string => join(parent, `.${name}.former`);
const isPending = /^\.(.+)\.former$/;

/** Whether the hidden folder of that name is one of these. */
export const isFormerFolder = (name: string): boolean => isPending.test(name);

/**
 * Puts a folder of files in the place of another, which stands by.
 * @throws UserError when they cannot be written; the old folder is then still in place
 */
export async function replaceForNow(
  parent: string,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const standby = former(parent, name);
  await put(parent, name, files, (target, content) => {
    mkdirSync(standby);
    // Whether or not there is an old folder, it is told from none that has been moved away yet.
    if (!existsSync(target)) mkdirSync(join(standby, 'none'));
    changePlaces(target, content, join(standby, 'old'));
  });
}

/** Says by what to find out whether the folder stays. */
export const notePending = (parent: string, name: string, pending: Pending): Promise<void> =>
  writeAtomically(join(former(parent, name), 'pending.json'), `${JSON.stringify(pending)}\n`);

/** The new folder stays. */
export const keepReplacement = (parent: string, name: string): Promise<void> =>
  rm(former(parent, name), { recursive: true, force: true });

/** The old one comes back, or nothing, where there was none. */
export async function undoReplacement(parent: string, name: string): Promise<void> {
  const [target, standby] = [join(parent, name), former(parent, name)];
  const [old, none] = ['old', 'none'].map((each) => join(standby, each)) as [string, string];
  if (existsSync(old)) changePlaces(target, old, join(standby, 'new'));
  else if (existsSync(none) && existsSync(target)) renameSync(target, join(standby, 'new'));
  await rm(standby, { recursive: true, force: true });
}

/**
 * The folders of which a process that was killed has left open whether they stay.
 * @returns nothing to find out for one that came to no deployment
 */
export async function leftPending(parent: string): Promise<readonly (readonly [name: string, Pending | undefined])[]> {
  const names = (await readdir(parent)).flatMap((name) => isPending.exec(name)?.[1] ?? []);
  return Promise.all(
    names.sort().map(async (name) => {
      const file = join(former(parent, name), 'pending.json');
      if (!existsSync(file)) return [name, undefined] as const;
      return [name, checkedJson(pendingSchema, new TextDecoder().decode(await readBytes(file)), file)] as const;
    }),
  );
}
