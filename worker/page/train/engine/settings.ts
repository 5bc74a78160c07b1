/**
 * The settings of a pair's training, which the controls, the page's address and the engine share. This module imports
 * neither the page nor the engine.
 */

/** The generated data; `empty` holds only the points that the user drops. */
export const toyNames = ['moons', 'circles', 'spirals', 'clouds', 'empty'] as const;
export type ToyName = (typeof toyNames)[number];

/** Beside these, a few thousand digits of MNIST and the user's own table can be chosen. */
export const dataNames = [...toyNames, 'digits', 'own'] as const;
export type DataName = (typeof dataNames)[number];

export const isToy = (name: DataName): name is ToyName => (toyNames as readonly string[]).includes(name);

export const optimizerNames = ['sgd', 'momentum', 'adam'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** A sample that the user has dropped: its place, from −1 to 1, and its class, 0 or 1. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

export interface Settings {
  readonly data: DataName;
  /** The points that the user has dropped on a plane. */
  readonly points: readonly Point[];
  /** The column of the user's own table to predict; empty for other data, and where none has been chosen. */
  readonly label: string;
  readonly learningRate: number;
  readonly batchSize: number;
  /** The momentum of ONNX: the share of the old running statistics that a step keeps. */
  readonly bnMomentum: number;
  /** The number of hidden layers. */
  readonly depth: number;
  /** The factor by which He et al.'s initial weights are multiplied. */
  readonly scale: number;
  readonly optimizer: OptimizerName;
  readonly seed: number;
}

/** The minimum and the maximum of each number that has a control. */
export const limits = {
  learningRate: [0.001, 10],
  batchSize: [1, 256],
  bnMomentum: [0, 0.999],
  depth: [1, 8],
  scale: [0.1, 4],
  seed: [0, 9999],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

export const defaultSettings: Settings = {
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

/** Returns the width of the hidden layers. With digits and two layers the network is `mnist-mlp`. */
export const widthOf = (data: DataName): number => (data === 'digits' ? 256 : data === 'own' ? 64 : 16);

/** The maximum number of samples of the validation part that are used. */
export const maxHeld = 1000;

/** The maximum number of steps whose losses are kept to be saved. */
export const maxLosses = 1_000_000;

/** The two networks, in the order in which all pairs are listed. */
export const sides = ['with', 'without'] as const;
export type Side = (typeof sides)[number];
