/**
 * The builds that `wrangler dev` starts: one for every file that changes, ten for one `bn-edge add`. It bundles when the one that it
 * started last ends, which need not be the one that began last: so they all end when the work is done, by one of them. The others load
 * none of what a build needs.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isHeld, lastDoes } from '../../training/process/index.ts';

/** Of a folder that a build has made: what vouches for its files, and who is at work in it. */
export const [stampFile, lockFile] = ['built.json', '.lock'] as const;
/** Which of several builds that `wrangler dev` started began last. */
export const newestFile = '.newest';

/** @returns undefined where another build did the work */
export const oneForAll = async <T>(out: string, build: () => Promise<T>): Promise<T | undefined> =>
  // Before the first build there is no folder, and nothing to go on answering.
  existsSync(join(out, stampFile))
    ? lastDoes(join(out, newestFile), build, () => isHeld(join(out, lockFile)))
    : build();
