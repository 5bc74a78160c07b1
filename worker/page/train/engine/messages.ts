/** What the page and its engine, a worker of the browser, say to each other. */
import type { Point, Settings, Side } from './settings.ts';
import type { Subject } from './subject.ts';

export type Order =
  /** Reads a table, which is kept until another comes; `label` is the column to predict, empty for the one that is likely. */
  | { readonly kind: 'table'; readonly file: File; readonly label: string }
  /** Begins anew; with a table of one's own, the last one that was read. `run` numbers it, and what is told of it. */
  | { readonly kind: 'begin'; readonly run: number; readonly settings: Settings }
  /** Goes on with another learning rate or momentum. */
  | { readonly kind: 'tune'; readonly settings: Settings }
  /** `pace`: steps per second; Infinity for as many as there can be. */
  | { readonly kind: 'run'; readonly pace: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'step' }
  | { readonly kind: 'watch'; readonly watched: Watched }
  /** Asks for the losses of the steps so far, of a million at most. */
  | { readonly kind: 'losses' }
  | { readonly kind: 'file'; readonly of: Side; readonly as: FileKind };

/** What can be taken away: a folder of `models/` as a ZIP archive, a safetensors file, or a CSV file of all samples. */
export type FileKind = 'model' | 'checkpoint' | 'data';

/** What the page looks at. */
export interface Watched {
  /** A hidden layer, from 0. */
  readonly layer: number;
  /** A unit of it, from 0. */
  readonly channel: number;
  /** The sample whose answers are shown: a place of the plane, and of other data one of those held back, from 0. */
  readonly sample: Pick<Point, 'x' | 'y'>;
  readonly held: number;
}

export type Report =
  /** What it begins with; whether that can be trained with is told by what comes next. */
  | { readonly kind: 'begun'; readonly run: number; readonly begun: Begun }
  | { readonly kind: 'sample'; readonly run: number; readonly sample: HeldSample }
  | TableReport
  | { readonly kind: 'news'; readonly run: number; readonly news: News }
  | { readonly kind: 'validated'; readonly run: number; readonly validated: Validated }
  | { readonly kind: 'losses'; readonly losses: Readonly<Record<Side, Float32Array>> }
  | { readonly kind: 'file'; readonly name: string; readonly content: string | Uint8Array<ArrayBuffer> }
  /** Both networks have diverged, and there is no step to take. */
  | { readonly kind: 'over'; readonly run: number }
  /** A file that cannot be given; training goes on. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The settings cannot be trained with, or the engine has failed, of whatever run. */
  | { readonly kind: 'trouble'; readonly run?: number; readonly message: string };

/** What was read of a table. */
export interface TableReport {
  readonly kind: 'table';
  readonly name: string;
  /** Of its columns; none where the file could not be read at all. */
  readonly names: readonly string[];
  readonly label: string;
  readonly notes: readonly string[];
  /** Why it cannot be trained with; undefined where it can. */
  readonly problem: string | undefined;
}

export interface Begun {
  readonly of: Subject['kind'];
  readonly classes: readonly string[];
  /** How many samples there are of each. */
  readonly trained: number;
  readonly heldBack: number;
  /** Of a plane; none of other data. */
  readonly points: readonly Point[];
  readonly held: readonly Point[];
}

/** A sample that is no point of a plane. */
export interface HeldSample {
  /** Among those held back, from 0. */
  readonly index: number;
  readonly label: number;
  readonly name: string;
  /** Of a digit, row by row. */
  readonly pixels?: Uint8Array;
  /** Of a row: the first columns and what they hold. */
  readonly cells?: readonly (readonly [name: string, text: string])[];
}

export interface News {
  readonly step: number;
  readonly epoch: number;
  /** Of this engine lately, both networks together counting as one; 0 while it stands still. */
  readonly stepsPerSecond: number;
  readonly sides: Readonly<Record<Side, SideNews>>;
}

/** What the networks make of what is held back: told now and then, and whenever they stand still. */
export interface Validated {
  readonly step: number;
  /** Undefined of a network that has diverged, and where nothing is held back. */
  readonly sides: Readonly<Record<Side, Validation | undefined>>;
}

/** By the running statistics. */
export interface Validation {
  readonly loss: number;
  readonly accuracy: number;
}

export interface SideNews {
  /** Of the steps since the last news. */
  readonly losses: Float32Array;
  /** Why it no longer trains; undefined while it does. */
  readonly diverged: string | undefined;
  /** Of the hidden layers, in order. */
  readonly layers: readonly LayerNews[];
  /** The probability of class 1 on a grid over the plane, row by row from the top left, `grid × grid`; empty for other data. */
  readonly boundary: Float32Array;
  /** Of each class, for the sample that is watched. */
  readonly sample: { readonly running: Float32Array; readonly batch: Float32Array };
  /** What one step does to one channel; undefined without Batch Norm. */
  readonly channel: ChannelNews | undefined;
}

/** How often values occur, in bins of equal width from `minimum` to `maximum`. */
export interface Histogram {
  readonly minimum: number;
  readonly maximum: number;
  readonly counts: readonly number[];
}

export interface LayerNews {
  /** Of all units in the mini-batch that comes next, in front of Batch Norm or ReLU. */
  readonly before: Histogram;
  /** Behind Batch Norm; undefined without it. */
  readonly after: Histogram | undefined;
  /** √ Σ (∂L/∂w)² over the layer's weights. */
  readonly gradientNorm: number;
  readonly norm: Normalization | undefined;
}

/** A number for each channel. */
export interface Normalization {
  readonly batchMean: Float32Array;
  readonly batchVar: Float32Array;
  readonly runningMean: Float32Array;
  readonly runningVar: Float32Array;
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/** The numbers of the channel that is watched, in the mini-batch that comes next. */
export interface ChannelNews {
  readonly layer: number;
  readonly channel: number;
  readonly epsilon: number;
  readonly momentum: number;
  /** `[m]` */
  readonly z: Float32Array;
  /** ∂L/∂z̃, `[m]` */
  readonly dAfter: Float32Array;
  /** ∂L/∂z as the training graph has it, `[m]` */
  readonly dz: Float32Array;
  readonly dGamma: number;
  readonly dBeta: number;
  readonly gamma: number;
  readonly beta: number;
  readonly runningMean: number;
  readonly runningVar: number;
}

/** Of the grid of `boundary`, on a side. */
export const grid = 48;
