/** How a network was trained, as its checkpoint says. A record may have members of former or later versions: they stay. */
import * as z from 'zod';
import { augmentationSchema, dataSourceSchema } from '../data/index.ts';
import { type Objective, objectiveKinds, objectiveRuleOf } from '../objective/index.ts';
import { type OptimizerName, optimizers, type ScheduleName, schedules } from '../optimizer/index.ts';
import type { TrainingConfig } from '../trainer/index.ts';
import { historySchema, storedHistory } from './history.ts';

const count = z.int().nonnegative();

/** The rest of its settings is the business of the rule that it names. */
const objective = z.custom<Objective>(
  (value) => objectiveKinds.some((kind) => kind === (value as { readonly kind?: unknown } | null)?.kind),
  { error: ({ input }) => `expected one of the kinds ${objectiveKinds.join(', ')}, got ${JSON.stringify(input)}` },
);

/** A setting without a schema does not compile. */
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
  /** How to read them again; MNIST from its package when omitted. */
  source: dataSourceSchema.optional(),
  train: count,
  validation: count,
  test: count,
  /** Of the samples of all parts; unknown of runs from before it was stored here. */
  sha256: z.string().optional(),
});

export const recordSchema = z.object({
  data: dataSchema,
  config: configSchema,
  /** The engine, its version and number of threads: what bit-identical repetition needs. */
  engine: z.string(),
  steps: count,
  history: historySchema.readonly(),
});

export type DataRecord = Readonly<z.output<typeof dataSchema>>;
export type TrainingRecord = Readonly<z.output<typeof recordSchema>>;

/** The record as it is in files. */
export const storedRecord = (record: TrainingRecord, objective: Objective) => ({
  ...record,
  history: storedHistory(record.history, objectiveRuleOf(objective).score),
});
