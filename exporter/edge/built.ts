/** What is built, and what comes of it: types for whoever calls `buildImage`, who needs none of the runtime's. */

import type { RoundedWeights } from '../../worker/image.ts';

/** Is told what is being done, and, where it is done model by model, with which. */
export type OnStage = (stage: string, model?: string) => void;

export interface BuildImageOptions {
  /** The folder of models (see store/registry.ts). */
  readonly models: string;
  /** Where the image goes. */
  readonly out?: string;
  readonly onStage?: OnStage;
  /** Drop pages of memory that no case reads. */
  readonly trim?: boolean;
  /** Put the models on the unmodified runtime instead. */
  readonly stock?: boolean;
  /** Build the image of all other models where some are bad, and say which were left out. */
  readonly skipBad?: boolean;
  /**
   * Multiply and add in one instruction, rounded once, which hosts with relaxed SIMD have: workerd, and Node from version 22 on. Other
   * bits, of compiled models within the same bound of stock's, and of ONNX Runtime's where they are proven to be, else there are none.
   */
  readonly fma?: boolean;
  /** Write the text of each compiled model beside its module. */
  readonly emitWat?: boolean;
  /** Skip Binaryen, which takes longer than all the rest, where the size of the module does not matter. */
  readonly unoptimized?: boolean;
}

export interface BuiltModel {
  readonly name: string;
  readonly path: string;
  readonly version: string;
  /**
   * What the image would be smaller without it, nearly: what creating its sessions has put into the image's memory, and what the
   * module says of it, compressed. Code is shared, and is not in it. On the stock runtime, its files.
   */
  readonly gzipBytes: number;
  /** Whether the switchable twin is in the image as well. */
  readonly twin: boolean;
  /** Whether what its answers have in common is counted. */
  readonly monitored?: true;
  /** What its weights were rounded to, and what that costs. */
  readonly weights?: RoundedWeights;
  /** What answers for it. */
  readonly engine: 'compiled' | 'onnxruntime';
  /** Why that is ONNX Runtime, where its card asks for a program if there can be one. */
  readonly engineReason?: string;
  /** How many cases gave the same from the image as from the stock runtime. */
  readonly cases: number;
  readonly ok: boolean;
  readonly error?: string;
}

/** A model that is not in the image, and why. */
export interface LeftOut {
  /** Below the folder of models. */
  readonly path: string;
  readonly error: string;
}

/** How many sums are fused with their products, or why none is. */
export type Fusion = { readonly sums: number } | { readonly reason: string };

export interface BuiltImage {
  /** Whether nothing had to be done. */
  readonly upToDate: boolean;
  readonly out: string;
  readonly stock: boolean;
  readonly models: readonly BuiltModel[];
  /** With `skipBad`, bad models, and the versions of those whose current one is. */
  readonly leftOut: readonly LeftOut[];
  /** Of `image.wasm`, of `image.mjs` and of the files of weights, and of all of them when each is compressed. */
  readonly bytes: {
    readonly wasm: number;
    readonly module: number;
    readonly weights: number;
    /** Of the weights among the static assets, which are not part of the script. */
    readonly assets: number;
    readonly gzip: number;
  };
  /** Models of which no made-up inputs tell what they are asked, so that the image holds all of the runtime for them. */
  readonly unguessed: readonly string[];
  /** What `fma` has made of ONNX Runtime. */
  readonly fusion?: Fusion;
  /** How many functions of the stock module are left. */
  readonly functions?: { readonly kept: number; readonly stock: number };
  /** One line for what was passed over in the folder of models. */
  readonly notes: readonly string[];
}
