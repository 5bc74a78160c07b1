/** Types for callers of `buildImage`: its options and its result. They need none of the runtime's types. */

import type { RoundedWeights } from '../../worker/image.ts';

/** Receives the name of each stage as it begins and, if the stage works model by model, the name of the model. */
export type OnStage = (stage: string, model?: string) => void;

export interface BuildImageOptions {
  /** The folder of models (see store/registry.ts). */
  readonly models: string;
  /** The folder that the image is written to. Default: `.bn-edge`. */
  readonly out?: string;
  readonly onStage?: OnStage;
  /** Drops pages of memory that no case reads. */
  readonly trim?: boolean;
  /** Puts the models on the unmodified runtime instead. */
  readonly stock?: boolean;
  /** Builds the image of all other models if some are bad, and reports which were left out. */
  readonly skipBad?: boolean;
  /**
   * Multiplies and adds in one instruction that rounds once. It needs relaxed SIMD, which workerd has, and Node from
   * version 22 on. The bits differ from stock's: those of compiled models stay within the same bound, and ONNX
   * Runtime's sums are fused only if every case proves that they do, too.
   */
  readonly fma?: boolean;
  /** Writes the text of each compiled model beside its module. */
  readonly emitWat?: boolean;
  /** Skips Binaryen, which takes longer than all other stages, if the size of the module does not matter. */
  readonly unoptimized?: boolean;
}

export interface BuiltModel {
  readonly name: string;
  readonly path: string;
  readonly version: string;
  /**
   * Estimates by how many bytes the compressed image would be smaller without the model: the memory that creating its
   * sessions has filled, and its entry in the module. Code is shared, and is not counted. With the stock runtime, it is
   * the size of the model's files.
   */
  readonly gzipBytes: number;
  /** `twin` is true if the image also holds the model's switchable twin. */
  readonly twin: boolean;
  /** `monitored` is true if the model's requests are counted, to see drift. */
  readonly monitored?: true;
  /** `weights` says to which type the weights were rounded, and what that costs in accuracy. */
  readonly weights?: RoundedWeights;
  /** Names what runs the model: a program of its own, or ONNX Runtime. */
  readonly engine: 'compiled' | 'onnxruntime';
  /** Says why ONNX Runtime runs the model although its card asks for a program if possible. */
  readonly engineReason?: string;
  /** Counts the cases in which the image gave the same as the stock runtime. */
  readonly cases: number;
  readonly ok: boolean;
  readonly error?: string;
}

/** Names a model that is not in the image, and says why. */
export interface LeftOut {
  /** `path` is relative to the folder of models. */
  readonly path: string;
  readonly error: string;
}

/** Counts the sums that are fused with their products, or says why none is. */
export type Fusion = { readonly sums: number } | { readonly reason: string };

export interface BuiltImage {
  /** `upToDate` is true if nothing had to be done. */
  readonly upToDate: boolean;
  readonly out: string;
  readonly stock: boolean;
  readonly models: readonly BuiltModel[];
  /** `leftOut` lists, with `skipBad`, the bad models, and all versions of a model whose current version is bad. */
  readonly leftOut: readonly LeftOut[];
  /**
   * Counts the bytes of `image.wasm` and the other modules, of `image.mjs`, of the files of weights, and of all of them
   * compressed one by one.
   */
  readonly bytes: {
    readonly wasm: number;
    readonly module: number;
    readonly weights: number;
    /** Counts the bytes of weights in static assets, which are not part of the script. */
    readonly assets: number;
    readonly gzip: number;
  };
  /**
   * `unguessed` lists the models for which the build found no inputs that they accept; the image holds the whole
   * runtime for them.
   */
  readonly unguessed: readonly string[];
  /** Says what `fma` did to ONNX Runtime's sums. */
  readonly fusion?: Fusion;
  /** Counts the functions of the stock module that are left. */
  readonly functions?: { readonly kept: number; readonly stock: number };
  /** `notes` has a line for each thing in the folder of models that was skipped. */
  readonly notes: readonly string[];
}
