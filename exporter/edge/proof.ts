/** Compares images with the stock runtime while they are made. */

import type { Runtime } from './bundle.ts';
import type { OnStage } from './built.ts';
import type { KnownInputs } from './cases/cases.ts';
import type { ReferenceThread } from './cases/reference.ts';
import { VerificationError, verify } from './cases/verify.ts';
import type { Verification, Verified } from './cases/verify.ts';
import type { ImageManifest } from './runtime/index.ts';

/** Holds what the verification of an image needs. */
export interface Proof {
  readonly runtime: Runtime;
  readonly manifest: ImageManifest;
  readonly reference: ReferenceThread;
  readonly known: KnownInputs;
  readonly onStage: OnStage;
}

/** Holds an image's module, the module with all of its code, and its files of weights. */
export interface Modules {
  readonly wasm: Uint8Array;
  readonly whole?: Uint8Array;
  readonly stored: readonly Uint8Array[];
}

export async function verifyImage(
  { runtime, manifest, reference, known, onStage }: Proof,
  stage: string,
  { wasm, whole, stored }: Modules,
  { onTrap, compare }: Pick<Verification, 'onTrap' | 'compare'> = {},
): Promise<Verified> {
  const module = new WebAssembly.Module(wasm);
  const rest = whole && { whole: new WebAssembly.Module(whole) };
  const image = await runtime.startImage(module, manifest, { stored, ...rest });
  return verify({
    reference: reference.outcomes(known),
    image: { ...image, runtime },
    known,
    ...(onTrap && { onTrap }),
    ...(compare && { compare }),
    onModel: (model) => {
      onStage(stage, model);
    },
  });
}

/** Is true if an image answers every case without the whole code. */
export async function isVerified(proof: Proof, modules: Modules): Promise<boolean> {
  let traps = 0;
  try {
    await verifyImage(proof, 'verify branches', modules, { onTrap: () => traps++ });
    return traps === 0;
  } catch (error) {
    if (error instanceof VerificationError) return false;
    throw error;
  }
}
