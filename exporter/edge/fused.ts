/**
 * Fuses the sums of a proven image with their products, if every case shows that the answers stay near enough to
 * stock's, since they are rounded otherwise. All else in the fused image is that of the exact one, which is proven bit
 * by bit.
 */

import type { Fusion } from './built.ts';
import { describeDistance, VerificationError } from './cases/verify.ts';
import { verifyImage } from './proof.ts';
import type { Modules, Proof } from './proof.ts';
import { bake } from './stages/bake.ts';
import { fuse } from './stages/fuse.ts';

/** Holds all of a module's code, and the code without the branches that no case takes. They may be the same. */
export interface Codes {
  readonly code: Uint8Array;
  readonly cut: Uint8Array;
}

export interface Fusing {
  /** `stubbed` is the module that the image's code is made from. */
  readonly stubbed: Uint8Array;
  readonly shrink: (module: Uint8Array) => Promise<Codes>;
  readonly memory: Uint8Array;
  /** `exact` is the image without fused sums, which is kept if the fused one is not proven. */
  readonly exact: Modules;
}

export async function fusedWhereProven(
  proof: Proof,
  { stubbed, shrink, memory, exact }: Fusing,
): Promise<{ readonly modules: Modules; readonly fusion: Fusion }> {
  const { module, count } = fuse(stubbed);
  if (count === 0) return { modules: exact, fusion: { reason: 'they add no products of vectors' } };
  const { code, cut } = await shrink(module);
  const { whole, stored } = exact;
  const complete: Modules = { wasm: bake(code, memory), stored };
  const modules = whole ? { wasm: bake(cut, memory), whole: code, stored } : complete;
  const reason = await reasonOf(proof, whole ? [modules, complete] : [modules]);
  return reason === undefined
    ? { modules, fusion: { sums: count } }
    : { modules: exact, fusion: { reason: `they would answer otherwise than stock's: ${reason}` } };
}

/** @returns the first answer that is too far from stock's; undefined if there is none */
async function reasonOf(proof: Proof, images: readonly Modules[]): Promise<string | undefined> {
  try {
    for (const image of images) await verifyImage(proof, 'verify fused sums', image, { compare: describeDistance });
    return undefined;
  } catch (error) {
    if (error instanceof VerificationError) return error.found;
    throw error;
  }
}
