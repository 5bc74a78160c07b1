/**
 * Shrinks the stubbed module with Binaryen, in a process of its own: its 11 MB of program load faster without this one's
 * loader. Inlining is what the engine's own optimizer leaves to gain: 3 % of a run of the convolutional network.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { runNode, withScratch } from '../../../training/process/index.ts';

const wasmOpt = createRequire(import.meta.url).resolve('binaryen/bin/wasm-opt');

/** What the stock module uses, and fused sums, which Binaryen makes none of; more would let it emit what the engine does not accept. */
const features = [
  'bulk-memory',
  'bulk-memory-opt',
  'mutable-globals',
  'nontrapping-float-to-int',
  'relaxed-simd',
  'sign-ext',
  'simd',
  'threads',
].map((feature) => `--enable-${feature}`);

const inlining = [
  '--inline-functions-with-loops',
  '--flexible-inline-max-function-size=300',
  '--one-caller-inline-max-function-size=2000',
];

/**
 * A higher level takes registers from the kernel of matrix products, which is 5 % of a run, for a module that is no smaller; and its
 * time grows with the square of a function's length, which is minutes where one handles every pair of data types.
 */
const level = '-O2';

export const optimize = (module: Uint8Array): Promise<Uint8Array> =>
  withScratch('optimize', async (folder) => {
    const [input, output] = [join(folder, 'in.wasm'), join(folder, 'out.wasm')];
    await writeFile(input, module);
    const args = [wasmOpt, level, ...inlining, ...features, input, '-o', output];
    const { code, stderr } = await runNode(args);
    if (code !== 0) throw new Error(`wasm-opt: ${stderr.trimEnd() || `exit code ${code}`}`);
    return new Uint8Array(await readFile(output));
  });
