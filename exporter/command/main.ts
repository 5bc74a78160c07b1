#!/usr/bin/env node
/** The program `npx bn-edge`. */
import { runProgram } from './cli.ts';

/**
 * Errors of an output whose reader is gone: it may stop early, as in `bn-edge train … | head -1`, or close the terminal
 * (EIO), which also sends a signal. The command ignores them and continues.
 */
const nobodyReads = ['EPIPE', 'EIO'];
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!nobodyReads.includes(error.code ?? '')) throw error;
  });
}

await runProgram(process.argv.slice(2));
