/** Compiled models, run: what a host needs beside the module. Imports nothing, so that it is bundled as it is. */
export { type Run, type Runnable, start } from './run.ts';
export { arrays } from './arrays.ts';
