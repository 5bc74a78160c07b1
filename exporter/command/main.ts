#!/usr/bin/env node
/** `npx bn-edge` */
import { runProgram } from './program.ts';

// Whoever reads may stop, as in `bn-edge train … | head -1`: what is being done goes on, and nobody is told.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

await runProgram(process.argv.slice(2));
