/**
 * What a Worker needs of an image, the module that `bn-edge build` writes (`image.mjs`). These are types alone: a Worker imports
 * nothing from an image, not even its classes of errors, so that one Worker may serve several images.
 */
import type { PicturePreparation } from '../training/pictures/preparation.ts';

/** ONNX's element types, in lower case. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'bool';

export interface EdgeTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The typed array of the element type, row-major, one entry per element; `bool` is a byte of 0 or 1. */
  readonly data: ArrayBufferView & ArrayLike<number | bigint>;
}

/** A model's input or output. A string in `shape` names a free dimension, -1 is a free dimension without a name. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

/** An ONNX model, ready to run. */
export interface EdgeSession {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns copies of the outputs asked for (all by default).
   * An error named `InferenceError` is the runtime's refusal, with its message; its `outOfMemory` tells an over-large batch.
   */
  run(feeds: Readonly<Record<string, EdgeTensor>>, outputNames?: readonly string[]): Record<string, EdgeTensor>;
}

/** A Batch Norm layer as its ONNX file stores it; per-channel values are `[C]`. */
export interface BatchNormLayer {
  readonly name: string;
  /** The names of the tensors before (z) and after (z̃) the layer. */
  readonly input: string;
  readonly output: string;
  readonly epsilon: number;
  /** ONNX's convention: the share of the old running value that an update keeps. */
  readonly momentum: number;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly runningMean: readonly number[];
  readonly runningVar: readonly number[];
}

/**
 * What the values of a model's output are: `logits` become probabilities by softmax, `probabilities` are taken as they are,
 * and a `number` belongs to no class. Each has its case in predict/kinds.ts.
 */
export type OutputKind = 'logits' | 'probabilities' | 'number';

/** One folder of `models/`, as its card and its file describe it. */
export interface ModelAbout {
  readonly name: string;
  /** The folder below `models/`: `<name>`, or `<name>/versions/<version>` for another version than the current one. */
  readonly path: string;
  readonly version: string;
  readonly description?: string;
  /** The name of each class, in the order of the output's values. */
  readonly labels?: readonly string[];
  /** The output that is the model's answer; it is absent where neither the card nor the file says what its values are. */
  readonly output?: { readonly name: string; readonly kind: OutputKind };
  /** Whether the card asks for the switchable twin, which normalizes with either statistics. */
  readonly explain: boolean;
  /** How its training pictures were prepared; none for a model that takes no pictures, and for one that does not say. */
  readonly picture?: PicturePreparation;
  readonly batchNorm: readonly BatchNormLayer[];
}

/** The default export of `image.mjs`. */
export interface Image {
  /** Sorted by name; each model's current version comes before its others. */
  readonly models: readonly ModelAbout[];
  /** Under `<path>/model`, and for a model that explains also under `<path>/switchable`. */
  readonly sessions: ReadonlyMap<string, EdgeSession>;
  /** The boolean input of every `switchable` session: true stands for the statistics of the mini-batch. */
  readonly switchName: string;
}
