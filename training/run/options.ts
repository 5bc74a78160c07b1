/** What a run can be told, as a schema: whoever calls it from a program gets the same answers to a slip as on the command line. */
import * as z from 'zod';
import { backendNames, stepperNames } from '../backend/index.ts';
import { configSchema } from '../checkpoint/index.ts';
import { augmentationSchema, dataSourceSchema } from '../data/index.ts';
import { binCount } from '../network/index.ts';
import { objectiveKinds, readingWishSchema } from '../objective/index.ts';
import { partNames } from './samples.ts';

/** Beyond it is a slip of the keyboard, which would take all memory. */
const largestWidth = 2 ** 20;

const fraction = z.number().min(0).lt(1);
const positive = z.number().positive();
const count = z.int().positive();

const runConfigSchema = z.strictObject({
  ...configSchema.omit({ objective: true, augment: true, bnBatches: true }).shape,
  /** What suits the number of samples where epochs or batch size are omitted. */
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
  /** When omitted, what fits the data. */
  objective: z.enum(objectiveKinds).optional(),
  labelSmoothing: fraction.optional(),
  balanceClasses: z.boolean().optional(),
  huberDelta: positive.optional(),
});

export const trainOptionsSchema = z.strictObject({
  /** A name or a file. */
  network: z.string().optional(),
  /** The widths of dense layers, in place of a network. */
  hidden: z.array(count.max(largestWidth)).readonly().optional(),
  /** How many members share the layers, each with a Batch Norm and a head of its own; one is none. What suits a table when omitted. */
  members: z.int().min(1).max(1024).optional(),
  /** Into how many bins each number of a row is cut, at most, 0 for none. What suits a table when omitted. */
  bins: z.union([z.literal(0), binCount]).optional(),
  /** Whether the network learns from the validation part as well, for as many steps as that has shown to be best. */
  refit: z.boolean().optional(),
  /** Into how many folds training and validation parts are divided to find these steps, and the scores of networks that have not seen them. */
  folds: count.optional(),
  /** A checkpoint to start from. */
  from: z.string().optional(),
  backend: z.enum(backendNames),
  config: runConfigSchema,
  /** How the pictures are changed in each epoch: not at all when omitted, or in all ways that leave them what they are. */
  augment: z.union([z.literal('all'), augmentationSchema]).optional(),
  /** What fits the data when omitted. */
  objective: objectiveFlagsSchema.optional(),
  threads: count.optional(),
  spinning: z.boolean().optional(),
  /** What takes the steps: a compiled program, a program beside ONNX Runtime, or its Loop. What suits the network when omitted. */
  stepper: z.enum(stepperNames).optional(),
  /** MNIST where it is empty. */
  data: dataSourceSchema.refine(
    ({ path, ...others }) => path !== undefined || Object.values(others).every((value) => value === undefined),
    { path: ['path'], error: 'expected a file or a folder beside what is said of it, got none' },
  ),
  /** The run folder; `runs/<network>` when omitted. One that holds a run gets a number behind it. */
  out: z.string().optional(),
  /** Goes on with the run in the folder, where one has begun. */
  resume: z.boolean().optional(),
  /** Takes the place of the run in the folder. */
  overwrite: z.boolean().optional(),
  /** Of the command line, for the record. */
  arguments: z.array(z.string()).readonly().optional(),
});

export type TrainOptions = Readonly<z.output<typeof trainOptionsSchema>>;

/** What a program asks of an evaluation. */
export const evaluateOptionsSchema = z.strictObject({
  checkpoint: z.string().optional(),
  model: z.string().optional(),
  data: dataSourceSchema.optional(),
  part: z.enum(partNames).optional(),
  needsLabel: z.boolean().optional(),
  reading: readingWishSchema.optional(),
  importance: z.boolean().optional(),
  backend: z.enum(backendNames).optional(),
});
