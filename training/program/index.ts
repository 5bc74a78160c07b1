/**
 * Runs compiled models: all that a host needs beside the module. This folder imports nothing, so that it can be bundled
 * as it is.
 */
export { type Run, type Runnable, start } from './run.ts';
export { arrays } from './arrays.ts';
