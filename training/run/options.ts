/** The schema of a run's options, so that programs get the same error messages as the command line. */
import * as z from 'zod';
import { backendNames, stepperNames } from '../backend/index.ts';
import { configSchema } from '../checkpoint/index.ts';
import { augmentationSchema, dataSourceSchema } from '../data/index.ts';
import { binCount } from '../network/index.ts';
import { objectiveKinds, answerRuleSchema } from '../objective/index.ts';
import { partNames } from './samples.ts';

/** The maximum of a width. A larger one is a typing error, and would take all memory. */
const largestWidth = 2 ** 20;

const fraction = z.number().min(0).lt(1);
const positive = z.number().positive();
const count = z.int().positive();

const runConfigSchema = z.strictObject({
  ...configSchema.omit({ objective: true, augment: true, bnBatches: true }).shape,
  /** Epochs and batch size default to what suits the number of samples. */
  epochs: count.optional(),
  steps: count.optional(),
  stopAfter: count.optional(),
  timeLimit: positive.optional(),
  batchSize: z.int().min(2).optional(),
  learningRate: positive,
  momentum: fraction.optional(),
  warmUp: fraction.optional(),
  weightDecay: z.number().min(0).optional(),
  clipNorm: positive.optional(),
  ema: fraction.optional(),
  bnMomentum: z.union([fraction, z.literal('none')]),
  seed: z.int().nonnegative(),
});

const objectiveFlagsSchema = z.strictObject({
  /** Default: the objective that fits the data. */
  objective: z.enum(objectiveKinds).optional(),
  labelSmoothing: fraction.optional(),
  balanceClasses: z.boolean().optional(),
  huberDelta: positive.optional(),
});

export const trainOptionsSchema = z.strictObject({
  /** A name or a file. */
  network: z.string().optional(),
  /** The widths of dense layers, instead of a network. */
  hidden: z.array(count.max(largestWidth)).readonly().optional(),
  /**
   * The number of members that share the layers, each with its own Batch Norm and head; 1 means a plain network.
   * Default: what suits the table.
   */
  members: z.int().min(1).max(1024).optional(),
  /** The maximum number of bins for each number of a row, 0 for none. Default: what suits the table. */
  bins: z.union([z.literal(0), binCount]).optional(),
  /**
   * Makes the network also learn from the validation part, for the number of steps that this part has shown to be best.
   */
  refit: z.boolean().optional(),
  /**
   * The number of folds that the training and validation parts are divided into, to find this number of steps and
   * scores on unseen samples.
   */
  folds: count.optional(),
  /** A checkpoint to start from. */
  from: z.string().optional(),
  backend: z.enum(backendNames),
  config: runConfigSchema,
  /** The changes of pictures in each epoch; `all` means all ways that keep what they show. Default: not at all. */
  augment: z.union([z.literal('all'), augmentationSchema]).optional(),
  /** Default: the objective that fits the data. */
  objective: objectiveFlagsSchema.optional(),
  threads: count.optional(),
  spinning: z.boolean().optional(),
  /**
   * The way in which steps are computed: by a compiled program, by a program beside ONNX Runtime, or by its Loop.
   * Default: what suits the network.
   */
  stepper: z.enum(stepperNames).optional(),
  /** MNIST where it is empty. */
  data: dataSourceSchema.refine(
    ({ path, ...others }) => path !== undefined || Object.values(others).every((value) => value === undefined),
    { path: ['path'], error: 'expected the file or folder that the other options describe, got none' },
  ),
  /** The run folder. Default: `runs/<network>`, with a number appended where that folder holds a run. */
  out: z.string().optional(),
  /** Resumes the run in the folder, if there is one. */
  resume: z.boolean().optional(),
  /** Replaces the run in the folder. */
  overwrite: z.boolean().optional(),
  /** The arguments of the command line, which the run's configuration records. */
  arguments: z.array(z.string()).readonly().optional(),
});

export type TrainOptions = Readonly<z.output<typeof trainOptionsSchema>>;

/** The options of an evaluation that a program starts. */
export const evaluateOptionsSchema = z.strictObject({
  checkpoint: z.string().optional(),
  model: z.string().optional(),
  data: dataSourceSchema.optional(),
  part: z.enum(partNames).optional(),
  needsLabel: z.boolean().optional(),
  reading: answerRuleSchema.optional(),
  importance: z.boolean().optional(),
  backend: z.enum(backendNames).optional(),
});
