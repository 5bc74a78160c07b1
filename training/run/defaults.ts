/** How training goes unless it is told otherwise. */
export const trainingDefaults = {
  optimizer: 'adam',
  /** The highest of the schedule. */
  learningRate: 0.002,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 1,
} as const;
