/**
 * What an image is, the module that `bn-edge build` writes (`image.mjs`): the contract between the build, which makes it so and writes
 * these types beside it, and the Worker. They are types alone: a Worker imports nothing from an image, not even its classes of
 * errors, so that one Worker may serve several images.
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

/** An array of halfs, where the host has such. Everywhere, a `Uint16Array` with their bits is taken as well. */
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
 * `data` is row-major and has as many elements as `shape` says. Where the host has no `Float16Array`, which Node 20 has not,
 * `float16` data is a `Uint16Array` with the bits.
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
  /** Whether the file says no shape: any number of dimensions will do, each of any size. `shape` is empty then. */
  readonly anyShape?: boolean;
}

/** An ONNX model, ready to run. */
export interface Session {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];

  /**
   * Runs the model on `feeds`, one tensor for each input, and returns copies of the outputs asked for (all by default).
   * @throws an error named `FeedError` if a feed is missing, unknown or not what the model takes
   * @throws an error named `InferenceError` if the runtime refuses, with its message; its `outOfMemory` tells an over-large batch
   * @throws an error named `TrapError` if the run needs what the image lacks, as no case of its build has reached it
   */
  run(feeds: Readonly<Record<string, Tensor>>, outputNames?: readonly string[]): Record<string, Tensor>;
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
 * What the values of a model's output are: `logits` become probabilities by softmax, `probabilities` are taken as they are, each
 * value of `multi-label` is the probability that its own label applies, a `class` is the number of the class that the model has chosen
 * itself, and a `number` belongs to no class.
 */
export type OutputKind = 'logits' | 'probabilities' | 'multi-label' | 'class' | 'number';

/** How weights are stored that are not where and as the file has them, and what that costs: both answered the same questions. */
export interface RoundedWeights {
  readonly type: 'float32' | 'float16' | 'int8';
  /** Between two numbers of the same answer; and as a share of the largest number of that output. */
  readonly largestDifference: number;
  readonly relativeDifference: number;
  /** How many real samples were among the questions. */
  readonly samples: number;
  /** How many of those got another class; absent where there are no classes. */
  readonly changedClasses?: number;
}

/** What is watched of a model whose card says `"monitor": true`. */
export interface Monitored {
  /** Whose inputs the session `<path>/watched` tells of, in the order of its output. */
  readonly layers: readonly WatchedLayer[];
  /** Why none is, where the model has Batch Norm layers. */
  readonly noLayers?: string;
  /** How the values of its columns were spread in training; empty for a model of whose training the card does not tell. */
  readonly columns: readonly ColumnReference[];
  /** How many of the training samples were of each class, as shares in the order of `labels`, of how many. */
  readonly classes?: { readonly shares: readonly number[]; readonly samples: number };
}

/** Of which tensor of a layer, by its name, the moments are told; and whether its channels have several places. */
export interface WatchedLayer {
  readonly name: string;
  readonly of: 'input' | 'output';
  readonly hasPlaces: boolean;
}

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
  /** Absent where the card does not ask for it. */
  readonly monitor?: Monitored;
  /** How pictures become its input; none for a model that takes no pictures, and for one of which nobody says how. */
  readonly picture?: PicturePreparation;
  /** Of inputs whose sizes the file leaves open, those that the build has found to be fixed; −1 for others. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** What the numbers of a row mean, by the input that takes the rows; absent for inputs of which nobody says it. */
  readonly columns?: Readonly<Record<string, readonly Column[]>>;
  /** What becomes of rows that are not the model's, where a request does not say it; they are refused if the card does not either. */
  readonly unknown?: Unknown;
  /** From which probability on a label is told, where that is not the most probable one, or half. */
  readonly threshold?: Thresholds;
  /** What stands around the number that it answers. */
  readonly interval?: Interval;
  /** Whether its probabilities meant what they say, on the test samples. */
  readonly calibration?: Calibration;
  /** What each column is worth, on the test samples. */
  readonly importance?: Importance;
  /** Absent where the weights are stored as the file has them. */
  readonly weights?: RoundedWeights;
  /** The Batch Norm layers that normalize with running statistics, as far as they can be described. */
  readonly batchNorm: readonly BatchNormLayer[];
  /** The names of layers that normalize with the mini-batch's own statistics, of how many: what the card calls `as-is`. */
  readonly ofBatch?: { readonly layers: readonly string[]; readonly of: number };
  /** What `batchNorm` does not tell of the file's Batch Norm, one sentence each. */
  readonly remarks?: readonly string[];
  /** Why the model cannot have a twin. */
  readonly noTwin?: string;
}

/** The default export of `image.mjs`. */
export interface Image {
  /** Sorted by name; each model's current version comes before its others. */
  readonly models: readonly ModelAbout[];
  /** Under `<path>/model`, and for a model that explains also under `<path>/switchable`, for one with watched layers under `<path>/watched`. */
  readonly sessions: ReadonlyMap<string, Session>;
  /** The boolean input of every `switchable` session: true stands for the statistics of the mini-batch. */
  readonly switchName: string;
  /**
   * Reads the weights of a model, by its path, where they are not part of the script, and at most once; before that its sessions throw.
   * @param read gives a file of weights by its name, which is its sha256 and `.bin`
   * @throws an error named `WeightsError` for a file that is another
   */
  readonly load?: (path: string, read: (name: string) => Promise<ArrayBuffer>) => Promise<void>;
  /** Why the models that lie there now are not these: under `wrangler dev` the image of before goes on answering. */
  readonly buildError?: string | undefined;
}
