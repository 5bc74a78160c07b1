/** Shrinks the stubbed module with Binaryen. Speed after the engine's own optimizer is the same at every level. */

import binaryen from 'binaryen';

const { Features } = binaryen;

/** What the stock module uses; naming more would let Binaryen emit what the engine does not accept. */
const features = [
  Features.Atomics,
  Features.BulkMemory,
  Features.BulkMemoryOpt,
  Features.MutableGlobals,
  Features.NontrappingFPToInt,
  Features.SIMD128,
  Features.SignExt,
].reduce((all: number, feature) => all | feature, 0) as unknown as typeof Features.All;

export function optimize(module: Uint8Array): Uint8Array {
  const parsed = binaryen.readBinary(module);
  try {
    parsed.setFeatures(features);
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(2);
    parsed.optimize();
    if (!parsed.validate()) throw new Error('internal: binaryen produced an invalid module');
    return parsed.emitBinary();
  } finally {
    parsed.dispose();
  }
}
