/**
 * Shrinks the stubbed module with Binaryen, in a process of its own: its 11 MB of program load faster without this one's
 * loader. Inlining is what the engine's own optimizer leaves to gain: 3 % of a run of the convolutional network.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const wasmOpt = createRequire(import.meta.url).resolve('binaryen/bin/wasm-opt');

/** What the stock module uses; enabling more would let Binaryen emit what the engine does not accept. */
const features = [
  'bulk-memory',
  'bulk-memory-opt',
  'mutable-globals',
  'nontrapping-float-to-int',
  'sign-ext',
  'simd',
  'threads',
].map((feature) => `--enable-${feature}`);

/** What -O3 and -O4 do beyond takes a minute or more on large functions, and undoes 5 % of our own matrix product. */
const effort = [
  '-O2',
  '--inline-functions-with-loops',
  '--flexible-inline-max-function-size=300',
  '--one-caller-inline-max-function-size=2000',
];

export async function optimize(module: Uint8Array): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-'));
  const [input, output] = [join(folder, 'in.wasm'), join(folder, 'out.wasm')];
  try {
    await writeFile(input, module);
    await promisify(execFile)(process.execPath, [wasmOpt, ...effort, ...features, input, '-o', output]);
    return new Uint8Array(await readFile(output));
  } finally {
    await rm(folder, { recursive: true });
  }
}
