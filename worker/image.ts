/**
 * Types of an edge image, the module that `bn-edge build` writes (`image.mjs`). They are the contract between the build,
 * which also writes them next to the image, and the Worker. They are types only: a Worker imports no value from an
 * image, not even its classes of errors, so that one Worker may serve several images.
 */
import type { Calibration, Importance, Interval, Thresholds } from '../training/answers/quality.ts';
import type { Column, ColumnReference } from '../training/columns/column.ts';
import type { PicturePreparation } from '../training/pictures/preparation.ts';
import type { Unknown } from './predictor.ts';
export type { Calibration, Importance, Interval, Thresholds } from '../training/answers/quality.ts';
export type { Column, ColumnReference } from '../training/columns/column.ts';
export type { PicturePreparation } from '../training/pictures/preparation.ts';
export type * from './predictor.ts';

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

/** An array of halfs, where the host has them. A `Uint16Array` with their bits is accepted everywhere. */
type Halfs = typeof globalThis extends { Float16Array: new (length: number) => infer Array } ? Array : never;

/** The typed arrays of the element types; that of `bool` holds bytes of 0 or 1. */
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
 * Holds a tensor: `data` is row-major and has as many elements as `shape` says. On hosts without `Float16Array`, such
 * as Node 20, `float16` data is a `Uint16Array` with the bits.
 */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/**
 * Describes a model's input or output. A string in `shape` names a free dimension; -1 is a free dimension without a
 * name.
 */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
  /**
   * Is true when the file gives no shape: any number of dimensions is accepted, each of any size. `shape` is empty
   * then.
   */
  readonly anyShape?: boolean;
}

/** An ONNX model, ready to run. */
export interface Session {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns copies of the requested outputs (all by default).
   * @throws an error named `FeedError` if a feed is missing, unknown or not what the model takes
   * @throws an error named `InferenceError` if the runtime refuses, with its message; its `outOfMemory` marks
   * an over-large batch
   * @throws an error named `TrapError` if the run needs code that the image lacks because no case of its build reached
   * it
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputNames?: readonly string[]): Record<string, Tensor>;
}

/** Describes a Batch Norm layer as its ONNX file stores it; per-channel values are `[C]`. */
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
 * Defines what the values of an output mean. `logits` become probabilities by softmax, `probabilities` are taken as they
 * are, each value of `multi-label` is the probability that its own label applies, a `class` is the index of the class
 * that the model has chosen itself, and a `number` belongs to no class.
 */
export type OutputKind = 'logits' | 'probabilities' | 'multi-label' | 'class' | 'number';

/**
 * Describes how weights are stored that lie elsewhere than in the file or have another type there, and what that costs: the
 * model answered the same questions with both.
 */
export interface RoundedWeights {
  readonly type: 'float32' | 'float16' | 'int8';
  /**
   * The largest difference between two numbers of the same answer. `relativeDifference` is a share of the largest
   * number of that output.
   */
  readonly largestDifference: number;
  readonly relativeDifference: number;
  /** Counts the real samples among the questions. */
  readonly samples: number;
  /** Counts those of them that got another class; absent when there are no classes. */
  readonly changedClasses?: number;
}

/** Describes what is counted of a model whose card says `"monitor": true`. */
export interface Monitored {
  /** Lists the layers whose inputs the session `<path>/watched` describes, in the order of its output. */
  readonly layers: readonly WatchedLayer[];
  /** Explains why no layer is watched, when the model has Batch Norm layers. */
  readonly noLayers?: string;
  /** Describes how the values of each column were spread in training; empty when the card does not record it. */
  readonly columns: readonly ColumnReference[];
  /**
   * Holds the share of each class among the training samples, in the order of `labels`, and the number of these
   * samples.
   */
  readonly classes?: { readonly shares: readonly number[]; readonly samples: number };
}

/**
 * Describes a watched layer: `of` names the tensor whose moments are computed, and `hasPlaces` is true when its
 * channels have several places.
 */
export interface WatchedLayer {
  readonly name: string;
  readonly of: 'input' | 'output';
  readonly hasPlaces: boolean;
}

/** Describes one folder of `models/`, by its card and its file. */
export interface ModelAbout {
  readonly name: string;
  /** The folder below `models/`: `<name>`, or `<name>/versions/<version>` for a version other than the current one. */
  readonly path: string;
  readonly version: string;
  readonly description?: string;
  /** Names the classes, in the order of the output's values. */
  readonly labels?: readonly string[];
  /** The output that is the model's answer; absent when neither the card nor the file says what its values mean. */
  readonly output?: { readonly name: string; readonly kind: OutputKind };
  /** Is true when the card asks for the switchable twin, which normalizes with either statistics. */
  readonly explain: boolean;
  /** Absent when the card does not ask for it. */
  readonly monitor?: Monitored;
  /**
   * Describes how pictures become the input; absent when the model takes no pictures, or neither the card nor the file
   * says how.
   */
  readonly picture?: PicturePreparation;
  /**
   * Maps inputs whose sizes the file leaves open to the sizes that the build has found to be fixed; −1 stands for
   * others.
   */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /**
   * Describes what the numbers of a row mean, by the input that takes the rows; inputs without a description are
   * absent.
   */
  readonly columns?: Readonly<Record<string, readonly Column[]>>;
  /**
   * Decides how unknown names and values in a row are handled when the request does not say; by default they are refused.
   */
  readonly unknown?: Unknown;
  /**
   * Maps labels to the probability from which they are answered. By default that is the most probable label, or where
   * labels do not exclude each other every label of at least a half.
   */
  readonly threshold?: Thresholds;
  /** Describes the interval around the number that the model answers. */
  readonly interval?: Interval;
  /** Measures whether its probabilities were right on the test samples. */
  readonly calibration?: Calibration;
  /** Measures what each column is worth, on the test samples. */
  readonly importance?: Importance;
  /** Absent when the weights are stored as in the file. */
  readonly weights?: RoundedWeights;
  /** Lists the Batch Norm layers that normalize with running statistics, as far as they can be described. */
  readonly batchNorm: readonly BatchNormLayer[];
  /**
   * Names the layers that normalize with the mini-batch's own statistics, which the card calls `as-is`; `of` counts all
   * layers.
   */
  readonly ofBatch?: { readonly layers: readonly string[]; readonly of: number };
  /** Lists what `batchNorm` leaves out of the file's Batch Norm, one sentence each. */
  readonly remarks?: readonly string[];
  /** Explains why the model cannot have a twin. */
  readonly noTwin?: string;
}

/** The default export of `image.mjs`. */
export interface Image {
  /** Lists the models by name; each model's current version comes before its others. */
  readonly models: readonly ModelAbout[];
  /**
   * Holds the session `<path>/model` of each model, `<path>/switchable` of a model that explains, and `<path>/watched`
   * of a model with watched layers.
   */
  readonly sessions: ReadonlyMap<string, Session>;
  /** Names the boolean input of every `switchable` session: true selects the statistics of the mini-batch. */
  readonly switchName: string;
  /**
   * Reads a model's weights, by its path, when they are not part of the script; each file at most once. Before that,
   * the model's sessions throw.
   * @param read gives a file of weights by its name, which is its sha256 and `.bin`
   * @throws an error named `WeightsError` when a file has other contents
   */
  readonly load?: (path: string, read: (name: string) => Promise<ArrayBuffer>) => Promise<void>;
  /**
   * Explains why the models in the folder are not these: under `wrangler dev` the previous image keeps answering after
   * a failed build.
   */
  readonly buildError?: string | undefined;
}
