/**
 * Records how a network was trained, in its checkpoint. A record may have members of older or newer versions, which are
 * kept.
 */
import * as z from 'zod';
import { augmentationSchema, dataSourceSchema } from '../data/index.ts';
import { type Objective, objectiveKinds, objectiveRuleOf } from '../objective/index.ts';
import { type OptimizerName, optimizers, type ScheduleName, schedules } from '../optimizer/index.ts';
import type { TrainingConfig } from '../trainer/index.ts';
import { historySchema, storedHistory } from './history.ts';

const count = z.int().nonnegative();

/** Only the kind is checked here; the rule that it names checks the other settings. */
const objective = z.custom<Objective>(
  (value) => objectiveKinds.some((kind) => kind === (value as { readonly kind?: unknown } | null)?.kind),
  { error: ({ input }) => `expected one of the kinds ${objectiveKinds.join(', ')}, got ${JSON.stringify(input)}` },
);

/** The schema of a training configuration. A setting without a schema does not compile. */
export const configSchema = z.object({
  epochs: z.int().positive(),
  steps: z.int().positive().optional(),
  stopAfter: z.int().positive().optional(),
  timeLimit: z.number().positive().optional(),
  batchSize: z.int().positive(),
  optimizer: z.enum(Object.keys(optimizers) as OptimizerName[]),
  momentum: z.number().optional(),
  learningRate: z.number(),
  schedule: z.enum(Object.keys(schedules) as ScheduleName[]),
  warmUp: z.number().optional(),
  weightDecay: z.number().optional(),
  clipNorm: z.number().optional(),
  ema: z.number().optional(),
  bnMomentum: z.union([z.number(), z.literal('none')]),
  bnBatches: count.optional(),
  bnVariance: z.enum(['population', 'unbiased']).optional(),
  freezeBn: z.boolean().optional(),
  statistics: z.enum(['running', 'population']).optional(),
  earlyStopping: z.int().positive().optional(),
  augment: augmentationSchema.optional(),
  keep: z.enum(['last', 'best']).optional(),
  objective: objective.optional(),
  seed: z.int(),
} satisfies { readonly [K in keyof TrainingConfig]-?: z.ZodType<TrainingConfig[K]> });

const dataSchema = z.object({
  name: z.string(),
  /** The source to read the data from again. Default: MNIST from its package. */
  source: dataSourceSchema.optional(),
  train: count,
  validation: count,
  test: count,
  /** The SHA-256 of the samples of all parts; absent in records from before it was stored. */
  sha256: z.string().optional(),
});

export const recordSchema = z.object({
  data: dataSchema,
  config: configSchema,
  /** The engine, its version and number of threads, which a bit-identical repetition needs. */
  engine: z.string(),
  steps: count,
  history: historySchema.readonly(),
});

export type DataRecord = Readonly<z.output<typeof dataSchema>>;
export type TrainingRecord = Readonly<z.output<typeof recordSchema>>;

/** Returns the record as it is stored in files. */
export const storedRecord = (record: TrainingRecord, objective: Objective) => ({
  ...record,
  history: storedHistory(record.history, objectiveRuleOf(objective).score),
});

/**
 * Is true where a network was also trained on the validation part, for the number of steps that other runs had shown to
 * be best. Its scores there then say nothing about other data.
 */
export function hasLearntFromValidation(record: Pick<TrainingRecord, 'config'> | undefined): boolean {
  return record?.config.stopAfter !== undefined;
}
