/**
 * Replaces a folder on trial. Until it is known whether the new folder stays, `.<name>.former` beside it holds the old
 * one and says how to find out. A process that is killed leaves it for the next one to settle.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { checkedJson, readBytes, writeAtomically } from '../../training/files/index.ts';
import { changePlaces, put } from './replace-folder.ts';

/** Says what to find out. */
export interface Pending {
  /** `tag` is that of the Worker's version with the folder's files, if it has been deployed. */
  readonly tag: string;
  /** `message` is what that version is called. */
  readonly message: string;
}

const pendingSchema = z.object({ tag: z.string(), message: z.string() });

const former = (parent: string, name: string): string => join(parent, `.${name}.former`);
const isPending = /^\.(.+)\.former$/;

/** Is true if a hidden folder of that name holds a former folder. */
export const isFormerFolder = (name: string): boolean => isPending.test(name);

/**
 * Replaces a folder by another one, and keeps the old one.
 *
 * @throws UserError if the files cannot be written; the old folder is then still in place
 */
export async function replaceForNow(
  parent: string,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const standby = former(parent, name);
  await put(parent, name, files, (target, content) => {
    mkdirSync(standby);
    // The marker distinguishes "there was no old folder" from "the old folder has not been moved away yet".
    if (!existsSync(target)) mkdirSync(join(standby, 'none'));
    changePlaces(target, content, join(standby, 'old'));
  });
}

/** Writes down how to find out whether the folder stays. */
export const notePending = (parent: string, name: string, pending: Pending): Promise<void> =>
  writeAtomically(join(former(parent, name), 'pending.json'), `${JSON.stringify(pending)}\n`);

/** Keeps the new folder. */
export const keepReplacement = (parent: string, name: string): Promise<void> =>
  rm(former(parent, name), { recursive: true, force: true });

/** Puts the old folder back, or removes the new one if there was no old one. */
export async function undoReplacement(parent: string, name: string): Promise<void> {
  const [target, standby] = [join(parent, name), former(parent, name)];
  const [old, none] = ['old', 'none'].map((each) => join(standby, each)) as [string, string];
  if (existsSync(old)) changePlaces(target, old, join(standby, 'new'));
  else if (existsSync(none) && existsSync(target)) renameSync(target, join(standby, 'new'));
  await rm(standby, { recursive: true, force: true });
}

/**
 * Lists the folders whose replacement a killed process has left unsettled.
 *
 * @returns undefined in place of a folder's `Pending` if the process was killed before it deployed anything
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
