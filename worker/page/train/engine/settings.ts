/** What decides how a pair of networks trains, as the controls and the address of the page say it. Knows nothing of either side. */

/** The data that one can choose; `empty` holds only what is dropped by hand. */
export const toyNames = ['moons', 'circles', 'spirals', 'clouds', 'empty'] as const;
export type ToyName = (typeof toyNames)[number];

/** Beside these, a few thousand digits of MNIST, and a table of one's own. */
export const dataNames = [...toyNames, 'digits', 'own'] as const;
export type DataName = (typeof dataNames)[number];

export const isToy = (name: DataName): name is ToyName => (toyNames as readonly string[]).includes(name);

export const optimizerNames = ['sgd', 'momentum', 'adam'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** A sample dropped by hand: where it is, from −1 to 1, and its class, 0 or 1. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

export interface Settings {
  readonly data: DataName;
  /** Dropped by hand upon a plane. */
  readonly points: readonly Point[];
  /** The column to predict of a table of one's own; empty for other data, and where nobody has said. */
  readonly label: string;
  readonly learningRate: number;
  readonly batchSize: number;
  /** ONNX's: the share of the old running statistics that a step keeps. */
  readonly bnMomentum: number;
  /** Hidden layers. */
  readonly depth: number;
  /** By which He et al.'s initial weights are multiplied. */
  readonly scale: number;
  readonly optimizer: OptimizerName;
  readonly seed: number;
}

/** The smallest and largest of each number that there are controls for. */
export const limits = {
  learningRate: [0.001, 10],
  batchSize: [1, 256],
  bnMomentum: [0, 0.999],
  depth: [1, 8],
  scale: [0.1, 4],
  seed: [0, 9999],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export const usualSettings: Settings = {
  data: 'moons',
  points: [],
  label: '',
  learningRate: 0.1,
  batchSize: 32,
  bnMomentum: 0.9,
  depth: 4,
  scale: 1,
  optimizer: 'sgd',
  seed: 1,
};

/** Of each hidden layer: with digits and two layers the network is `mnist-mlp`. */
export const widthOf = (data: DataName): number => (data === 'digits' ? 256 : data === 'own' ? 64 : 16);

/** Of the samples held back, so many are asked about at most. */
export const maxHeld = 1000;

/** Of the steps, the losses of so many are kept to be saved. */
export const mostLosses = 1_000_000;

/** The two networks, in the order of everything that comes in pairs. */
export const sides = ['with', 'without'] as const;
export type Side = (typeof sides)[number];
