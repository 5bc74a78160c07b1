/** ONNX models, ready to run. Written by `bn-edge build`; do not edit. */

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

/** An array of halfs, where the host has such. Everywhere, a `Uint16Array` with their bits is taken as well. */
type Halfs = typeof globalThis extends { Float16Array: new (length: number) => infer Array } ? Array : never;

export type TensorData =
  | Halfs
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/**
 * `data` is row-major and has as many elements as `shape` says. `bool` data is 0 or 1. Where the host has no `Float16Array`,
 * which Node 20 has not, `float16` data is a `Uint16Array` with the bits.
 */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** A model's input or output. A string in `shape` names a free dimension, -1 is a free dimension without a name. */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface Session {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns copies of the outputs asked for (all by default).
   * @throws FeedError if a feed is missing, unknown or not what the model takes
   * @throws InferenceError if ONNX Runtime refuses, with its message; an over-large batch is `std::bad_alloc`
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputNames?: readonly string[]): Record<string, Tensor>;
}

/** A Batch Norm layer as its ONNX file stores it; per-channel values are `[C]`. */
export interface BatchNormLayer {
  readonly name: string;
  /** The names of the tensors before and after the layer. */
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

/** How any picture becomes the input of a model. */
export interface PicturePreparation {
  readonly size: { readonly rows: number; readonly columns: number };
  readonly channels: 1 | 3;
  readonly filter: 'triangle';
  readonly fit: 'stretch' | 'cover' | 'contain';
  /** What shows under transparent pixels, and around a picture that is contained: `#rrggbb`. */
  readonly background: string;
  /** Whether it is framed, centred and made white on black, as MNIST's drawings are. */
  readonly drawing?: boolean;
  /** What the model takes for the bytes 0 and 255, if not those; null where nobody knows. */
  readonly values?: readonly [black: number, white: number] | null;
}

/** One folder of models, as its card and its ONNX file describe it. */
export interface ModelAbout {
  readonly name: string;
  /** Of the folder: `<name>`, or `<name>/versions/<version>` for another version than the current one. */
  readonly path: string;
  readonly version: string;
  readonly description?: string;
  /** The name of each class, in the order of the output's values. */
  readonly labels?: readonly string[];
  /** The output that is the answer, and what its values are; absent where neither card nor file says it. */
  readonly output?: { readonly name: string; readonly kind: 'logits' | 'probabilities' | 'number' };
  /** Whether the card asks for the switchable twin. */
  readonly explain: boolean;
  /** How the pictures that it was trained on were prepared; absent where it takes none, and where nobody knows. */
  readonly picture?: PicturePreparation;
  readonly batchNorm: readonly BatchNormLayer[];
}

/** The caller's tensors do not fit the model. Its name is `FeedError`. */
export declare class FeedError extends Error {}

/** ONNX Runtime, or the allocator, refused a run with a message. The session stays usable. Its name is `InferenceError`. */
export declare class InferenceError extends Error {
  readonly outOfMemory: boolean;
}

/** Sorted by name; each model's current version comes before its others. */
export declare const models: readonly ModelAbout[];

/** Under `<path>/model`; and where the card says `"explain": true` and there is Batch Norm, also `<path>/switchable`. */
export declare const sessions: ReadonlyMap<string, Session>;

/** The boolean input of every `switchable` session: true is for the statistics of the mini-batch. */
export declare const switchName: string;

declare const image: {
  readonly models: typeof models;
  readonly sessions: typeof sessions;
  readonly switchName: typeof switchName;
};

export default image;
