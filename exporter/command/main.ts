#!/usr/bin/env node
/** `npx bn-edge` */
import { runProgram } from './program.ts';

/**
 * Whoever reads may stop, as in `bn-edge train … | head -1`, or close the terminal (EIO), which is a signal of its own: what is being
 * done goes on, and nobody is told.
 */
const nobodyReads = ['EPIPE', 'EIO'];
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!nobodyReads.includes(error.code ?? '')) throw error;
  });
}

await runProgram(process.argv.slice(2));
