/** The defaults of training. */
export const trainingDefaults = {
  optimizer: 'adam',
  /** The maximum of the schedule. */
  learningRate: 0.002,
  schedule: 'cosine',
  bnMomentum: 0.9,
  seed: 1,
} as const;
