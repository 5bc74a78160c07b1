/** Types of the ingredients from which an image is made. */

import type { Weight } from '../served/round-weights.ts';
import type { OnStage } from './built.ts';
import type { Samples } from './cases/samples.ts';
import type { StatedShapes } from './cases/sizes.ts';
import type { Models } from './runtime/index.ts';

export interface Ingredients {
  readonly stock: Uint8Array;
  readonly models: Models;
  /** `samples` holds real inputs for some of the models. */
  readonly samples: Samples;
  /** `stated` holds, by session, the shapes of inputs as the card states them. Default: none. */
  readonly stated?: Readonly<Record<string, StatedShapes>>;
  /** `apart` lists, for each file of weights to be written, the sessions and their weights. Default: none. */
  readonly apart?: readonly ApartWeights[];
  /** Drops heap pages that no case reads. */
  readonly trim: boolean;
  /** Fuses sums with their products if the answers stay near enough. Default: false. */
  readonly fma?: boolean;
  /**
   * Shrinks a module. The caller may cache results, since models that differ only in their weights give the same
   * module.
   */
  readonly optimize: (module: Uint8Array) => Promise<Uint8Array>;
  readonly recall: Recall;
  readonly onStage: OnStage;
}

/** Weights that are stored beside the module. */
export interface ApartWeights {
  readonly sessions: readonly string[];
  readonly weights: readonly Weight[];
}

/** Returns what `make` gives, or what it gave earlier for the same inputs. `what` names the stage. */
export type Recall = (
  what: string,
  inputs: readonly Uint8Array[],
  make: () => Promise<Uint8Array>,
) => Promise<Uint8Array>;
