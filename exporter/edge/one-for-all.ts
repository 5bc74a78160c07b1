/**
 * Lets one build do the work of all those that `wrangler dev` starts: one for every file that changes, ten for one
 * `bn-edge add`. Wrangler bundles when the build that it started last ends, which need not be the one that began last.
 * So all of them end when the work is done, and one of them does it. The others load none of what a build needs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isHeld, coalesced } from '../../training/process/index.ts';

/** Files of a built folder: the stamp, which vouches for the other files, and the lock of the process that builds. */
export const [stampFile, lockFile] = ['built.json', '.lock'] as const;
/** Names the file that says which of the builds started by `wrangler dev` began last. */
export const newestFile = '.newest';

/**
 * Builds, or waits for another build that does.
 *
 * @returns undefined if another build did the work
 */
export const oneForAll = async <T>(out: string, build: () => Promise<T>): Promise<T | undefined> =>
  // Before the first build there is no folder, and no image that can go on answering.
  existsSync(join(out, stampFile))
    ? coalesced(join(out, newestFile), build, () => isHeld(join(out, lockFile)))
    : build();
