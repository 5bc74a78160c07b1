#!/usr/bin/env node
/** `npx bn-edge` */
import { runProgram } from './program.ts';

await runProgram(process.argv.slice(2));
