/** The messages between the page and its engine, a web worker. */
import type { Point, Settings, Side } from './settings.ts';
import type { Subject } from './subject.ts';

export type Order =
  /**
   * Reads a table, which the engine keeps until the next. `label` is the column to predict; empty for the likely one.
   */
  | { readonly kind: 'table'; readonly file: File; readonly label: string }
  /**
   * Begins a new run; with the user's own table, on the last one that was read. `run` numbers the run and its reports.
   * `watched` comes with it, since a layer or channel of the previous network may not exist in this one.
   */
  | { readonly kind: 'begin'; readonly run: number; readonly settings: Settings; readonly watched: Watched }
  /** Continues the run with another learning rate or momentum. */
  | { readonly kind: 'tune'; readonly settings: Settings }
  /** Takes steps. `pace` is the steps per second; Infinity for as many as possible. */
  | { readonly kind: 'run'; readonly pace: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step' }
  /** Looks at something else in the current run. */
  | { readonly kind: 'watch'; readonly watched: Watched }
  /** Asks for the losses of the first million steps. */
  | { readonly kind: 'losses' }
  | { readonly kind: 'file'; readonly of: Side; readonly as: FileKind };

/** A file to save: a folder of `models/` as a ZIP archive, a safetensors file, or a CSV file of all samples. */
export type FileKind = 'model' | 'checkpoint' | 'data';

/** The user's choice of what to look at. */
export interface Watched {
  /** The index of a hidden layer. */
  readonly layer: number;
  /** The index of a unit of that layer. */
  readonly channel: number;
  /**
   * The sample whose answers are shown: a place of the plane, or, for other data, `held`, an index into the validation
   * part.
   */
  readonly sample: Pick<Point, 'x' | 'y'>;
  readonly held: number;
}

export type Report =
  /** Describes the data of the run. Whether the settings can be trained with follows in a later report. */
  | { readonly kind: 'begun'; readonly run: number; readonly begun: Begun }
  | { readonly kind: 'sample'; readonly run: number; readonly sample: HeldSample }
  | TableReport
  | { readonly kind: 'news'; readonly run: number; readonly news: News }
  | { readonly kind: 'validated'; readonly run: number; readonly validated: Validated }
  | { readonly kind: 'losses'; readonly losses: Readonly<Record<Side, Float32Array>> }
  | { readonly kind: 'file'; readonly name: string; readonly content: string | Uint8Array<ArrayBuffer> }
  /** Both networks have diverged: no step is left to take. */
  | { readonly kind: 'over'; readonly run: number }
  /** A file cannot be made; training continues. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The settings cannot be trained with, or the engine has failed. Without `run`, the report concerns every run. */
  | { readonly kind: 'trouble'; readonly run?: number; readonly message: string };

/** Reports what was read of a table. */
export interface TableReport {
  readonly kind: 'table';
  readonly name: string;
  /** The names of its columns; empty where the file could not be read at all. */
  readonly names: readonly string[];
  readonly label: string;
  readonly notes: readonly string[];
  /** Says why the table cannot be trained with; undefined where it can. */
  readonly problem: string | undefined;
}

export interface Begun {
  readonly of: Subject['kind'];
  readonly classes: readonly string[];
  /** Count the samples of the two parts. */
  readonly trained: number;
  readonly heldBack: number;
  /** The samples of the two parts of a plane; empty for other data. */
  readonly points: readonly Point[];
  readonly held: readonly Point[];
}

/** A sample of the validation part of digits or a table. */
export interface HeldSample {
  /** Its index in the validation part. */
  readonly index: number;
  readonly label: number;
  readonly name: string;
  /** The pixels of a digit, row by row. */
  readonly pixels?: Uint8Array;
  /** The first columns of a table's row and their values. */
  readonly cells?: readonly (readonly [name: string, text: string])[];
}

export interface News {
  readonly step: number;
  readonly epoch: number;
  /** The recent speed of this engine, a step of both networks counting as one; 0 while it stands still. */
  readonly stepsPerSecond: number;
  /** What the engine looked at; the user may have chosen something else since. */
  readonly watched: Watched;
  readonly sides: Readonly<Record<Side, SideNews>>;
}

/** The networks' scores on the validation part: sent from time to time, and whenever training stops. */
export interface Validated {
  readonly step: number;
  /** Undefined for a network that has diverged, and where the validation part is empty. */
  readonly sides: Readonly<Record<Side, Validation | undefined>>;
}

/** The scores by the running statistics. */
export interface Validation {
  readonly loss: number;
  readonly accuracy: number;
}

export interface SideNews {
  /** The losses of the steps since the last news. */
  readonly losses: Float32Array;
  /** Says why the network no longer trains; undefined while it does. */
  readonly diverged: string | undefined;
  /** Describes the hidden layers, in order. */
  readonly layers: readonly LayerNews[];
  /**
   * The probability of class 1 on a grid over the plane, row by row from the top left, `grid × grid`; empty for other
   * data.
   */
  readonly boundary: Float32Array;
  /** The probability of each class for the watched sample: by the running statistics, and within the mini-batch. */
  readonly sample: { readonly running: Float32Array; readonly batch: Float32Array };
  /** The numbers of one step of the watched channel; undefined without Batch Norm. */
  readonly channel: ChannelNews | undefined;
}

/** Counts values in bins of equal width from `minimum` to `maximum`. */
export interface Histogram {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: readonly number[];
}

export interface LayerNews {
  /** The inputs of Batch Norm (of ReLU where there is none) of all units, for the next mini-batch. */
  readonly before: Histogram;
  /** The outputs of Batch Norm; undefined without it. */
  readonly after: Histogram | undefined;
  /** √ Σ (∂L/∂w)² over the layer's weights. */
  readonly gradientNorm: number;
  readonly norm: Normalization | undefined;
}

/** The statistics and parameters of a Batch Norm layer, one number for each channel. */
export interface Normalization {
  readonly batchMean: Float32Array;
  readonly batchVar: Float32Array;
  readonly runningMean: Float32Array;
  readonly runningVar: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/** The numbers of the watched channel for the next mini-batch. */
export interface ChannelNews {
  readonly layer: number;
  readonly channel: number;
  readonly epsilon: number;
  readonly momentum: number;
  /** `[m]` */
  readonly z: Float32Array;
  /** ∂L/∂z̃, `[m]` */
  readonly dAfter: Float32Array;
  /** ∂L/∂z as the training graph computes it, `[m]` */
  readonly dz: Float32Array;
  readonly dGamma: number;
  readonly dBeta: number;
  readonly gamma: number;
  readonly beta: number;
  readonly runningMean: number;
  readonly runningVar: number;
}

/** The number of cells on a side of the grid of `boundary`. */
export const grid = 48;
