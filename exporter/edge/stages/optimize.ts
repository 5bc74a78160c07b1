/**
 * Shrinks the stubbed module with Binaryen, in a separate process: its 11 MB of program load faster without this
 * process's loader. Of its optimizations, inlining is the one that the engine's own does not make up for: it takes 3 %
 * off a run of the convolutional network.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { runNode, withScratch } from '../../../training/process/index.ts';

const wasmOpt = createRequire(import.meta.url).resolve('binaryen/bin/wasm-opt');

/**
 * Lists the features of the stock module, and relaxed SIMD for fused sums, which Binaryen itself never makes. With more
 * features, Binaryen could emit code that the engine rejects.
 */
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
 * A higher level takes registers from the kernel of matrix products, which costs 5 % of a run, and the module gets no
 * smaller. Its time also grows with the square of a function's length: minutes for a function that handles every pair
 * of data types.
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
