/**
 * The model card, `card.json`: what is known of a model, beside its files. It is the contract that the build, the Worker, a
 * release and the documents read. A model from elsewhere has the members that somebody knows, and needs none.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { calibrationSchema, importanceSchema, intervalSchema, thresholdsSchema } from '../../training/answers/index.ts';
import { augmentationSchema, columnReferenceSchema, columnSchema } from '../../training/data/index.ts';
import { checkedJson, readBytes } from '../../training/files/index.ts';
import { networkSchema } from '../../training/network/index.ts';
import { objectiveKinds } from '../../training/objective/index.ts';
import { batchNormUses } from '../served/normalization.ts';
import { servedKinds } from '../served/output.ts';
import { datatypes } from '../served/ports.ts';
import type { Unknown } from '../../worker/image.ts';
import { weightPlaces, weightTypes } from '../served/weights.ts';
import { isModelName } from './model-name.ts';
import { statedPicture } from './stated-picture.ts';

const size = z
  .int()
  .min(-1)
  .refine((value) => value !== 0, { error: 'expected a size, or -1 for a free one, got 0' });

const tensorCard = z.strictObject({
  name: z.string(),
  datatype: z.enum(datatypes),
  /** −1 is a free size, the first one the number of samples; no shape where the file says none. */
  shape: z.array(size).readonly().exactOptional(),
  /** What the numbers of a row mean. A category comes by its index, a missing value as NaN if something stands in for it. */
  columns: z.array(columnSchema).readonly().exactOptional(),
  /** How pictures become this input, as far as it is said. */
  picture: statedPicture.exactOptional(),
});

const modelOutput = z.strictObject({ name: z.string(), kind: z.enum(servedKinds) });

export const engines = ['auto', 'compiled', 'onnxruntime'] as const;
export type Engine = (typeof engines)[number];

/** What becomes of a row that is none of the model's, where the request does not say it. */
const unknown = z.enum(['refuse', 'ignore', 'fill'] as const satisfies readonly Unknown[]);

/** Where the exported running statistics come from: the average kept in training, or a pass over the training set. */
const statistics = z.enum(['running', 'population']);

const scores = z.strictObject({
  /** Of the objective, such as `accuracy` or `RMSE`. */
  name: z.string(),
  better: z.enum(['higher', 'lower']),
  /** On the test samples, with either statistics. */
  test: z.strictObject({
    running: z.number(),
    population: z.number(),
    /** Each sample alone, normalized by its own statistics. */
    batchOfOne: z.number(),
  }),
  /** Of an answer that is always the same: the most frequent class, or the mean of the numbers. */
  baseline: z.number(),
});

/** How it was trained, in short: the run folder has the rest, and the paths. */
const training = z.strictObject({
  data: z.strictObject({
    name: z.string(),
    train: z.int(),
    validation: z.int(),
    test: z.int(),
    /** Of the training and validation samples as they were read. */
    sha256: z.string().exactOptional(),
    /** The column of a table that is predicted. */
    label: z.string().exactOptional(),
    /** How many of the training samples are of each class, as shares in the order of `labels`. */
    classShares: z.array(z.number().min(0).max(1)).readonly().exactOptional(),
  }),
  objective: z.enum(objectiveKinds),
  optimizer: z.string(),
  learningRate: z.number(),
  schedule: z.string(),
  epochs: z.int(),
  /** The one with the lowest validation loss, counted from 1. */
  bestEpoch: z.int(),
  batchSize: z.int(),
  /** How the pictures were changed in each epoch. */
  augment: augmentationSchema.exactOptional(),
  bnMomentum: z.union([z.number(), z.literal('none')]),
  seed: z.int(),
  /** The engine, its version and number of threads: what bit-identical repetition needs. */
  engine: z.string(),
  steps: z.int(),
});

/** How running statistics were measured anew, on samples without labels. */
const recalibrated = z.strictObject({
  /** The version whose statistics were replaced. */
  from: z.string(),
  data: z.string(),
  samples: z.int(),
  /** How many samples the former statistics counted for. */
  prior: z.number(),
  /** The score before and after, where the samples had labels. */
  score: z.strictObject({ name: z.string(), before: z.number(), after: z.number() }).exactOptional(),
  /** The share of samples whose class stayed the same. */
  agreement: z.number().exactOptional(),
  layers: z
    .array(
      z.strictObject({
        name: z.string(),
        channels: z.int(),
        /** |μ′ − μ| / σ over the channels. */
        mean: z.strictObject({ average: z.number(), largest: z.number() }),
        /** σ′² / σ² over the channels, its average the geometric mean. */
        variance: z.strictObject({ average: z.number(), smallest: z.number(), largest: z.number() }),
      }),
    )
    .readonly(),
});

/** Hugging Face's form of `labels`: each index as a key, in whatever order. */
export const labelsById = z
  .record(z.string(), z.string())
  .refine((names) => Object.keys(names).every((_, index) => String(index) in names), {
    error: 'expected a name for each index from 0 on',
  })
  .transform((names): readonly string[] => Object.keys(names).map((_, index) => names[String(index)] ?? ''));

/** What a threshold was chosen for on the validation part. */
const thresholdRule = z.union([
  z.literal('f1'),
  z.strictObject({ fp: z.number().positive(), fn: z.number().positive() }).readonly(),
]);

const modelFile = z.strictObject({ sha256: z.string(), bytes: z.int() });

const written = z.strictObject({
  name: z.string().exactOptional(),
  /** The part of the URL; releases count it up. */
  version: z
    .string()
    .refine(isModelName, {
      error: ({ input }) => `expected letters, digits, '.', '_' and '-', got ${JSON.stringify(input)}`,
    })
    .default('1'),
  description: z.string().exactOptional(),
  /** The classes in the order of the output's numbers; none for numbers. */
  labels: z.array(z.string()).readonly().exactOptional(),
  /** The same, as a `config.json` of Hugging Face has them. */
  id2label: labelsById.exactOptional(),
  /** The output that is the model's answer. */
  output: modelOutput.exactOptional(),
  /** Whether the Worker also carries the twin that shows every Batch Norm layer and can normalize by the mini-batch. */
  explain: z.boolean().default(false),
  /** Whether the Worker counts what its answers have in common, so that a change of what it is asked is seen. */
  monitor: z.boolean().exactOptional(),
  /** How the values of the columns were spread in training. */
  reference: z.array(columnReferenceSchema).readonly().exactOptional(),
  /**
   * Of a file whose Batch Norm normalizes with the mini-batch's own statistics: `inference` takes the running ones that are stored
   * in it, `as-is` serves it as what it is.
   */
  batchNorm: z.enum(batchNormUses).exactOptional(),
  /** Of a table: what becomes of names and values that the columns do not know, where a request does not say it; refused by default. */
  unknown: unknown.exactOptional(),
  /**
   * What answers: `compiled`, the model as a program of its own; `onnxruntime`; or `auto`, compiled where it can be and ONNX Runtime
   * where it cannot.
   */
  engine: z.enum(engines).exactOptional(),
  /** What the weights are stored as, which is what a Worker is made of; they are rounded when the image is built. */
  weights: z.enum(weightTypes).exactOptional(),
  /** Where they are stored: in the script, or as static assets that are read when the model is first asked. */
  weightsIn: z.enum(weightPlaces).exactOptional(),
  /**
   * From which probability on a label is told: of two classes that of one, which the other takes the place of below it; of labels that do
   * not exclude each other any, 0.5 where it is not said.
   */
  threshold: z.strictObject({ at: thresholdsSchema, for: thresholdRule.exactOptional() }).exactOptional(),
  /** The share of values that the interval around a number is to hold: the level of one of `intervals`. */
  interval: z.number().gt(0).lt(1).exactOptional(),
  /** How wide it is for each level, by the residuals of the validation part, and what it held of the test part. */
  intervals: z.array(intervalSchema).readonly().exactOptional(),
  inputs: z.array(tensorCard).readonly().exactOptional(),
  outputs: z.array(tensorCard).readonly().exactOptional(),
  statistics: statistics.exactOptional(),
  scores: scores.exactOptional(),
  /** All that was measured of the exported file on the test samples. */
  metrics: z.record(z.string(), z.number()).exactOptional(),
  /** What the logits are divided by in the file, so that probabilities mean what they say. */
  temperature: z.number().positive().exactOptional(),
  /** Of the probabilities, on the test samples. */
  calibration: calibrationSchema.exactOptional(),
  /** What each column is worth, on the test samples. */
  importance: importanceSchema.exactOptional(),
  /** How far the file's answers to the test samples are from the training graph's. */
  verification: z.strictObject({ samples: z.int(), largestDifference: z.number() }).exactOptional(),
  network: networkSchema.exactOptional(),
  training: training.exactOptional(),
  recalibrated: recalibrated.exactOptional(),
  /** The files beside the card, by name. */
  files: z.record(z.string(), modelFile).exactOptional(),
});

export const cardSchema = written
  .refine(({ labels, id2label }) => !labels || !id2label, {
    path: ['id2label'],
    error: 'expected labels or id2label, got both',
  })
  .transform(({ id2label, ...card }) => ({ ...card, ...(id2label && { labels: id2label }) }));

export type ModelCard = Readonly<z.output<typeof cardSchema>>;
export type TensorCard = Readonly<z.output<typeof tensorCard>>;
export type ModelOutput = Readonly<z.output<typeof modelOutput>>;
export type StatisticsSource = z.output<typeof statistics>;
export type Scores = Readonly<z.output<typeof scores>>;
export type TestScores = Scores['test'];
export type TrainingSummary = Readonly<z.output<typeof training>>;
export type Recalibrated = Readonly<z.output<typeof recalibrated>>;
export type ModelFile = Readonly<z.output<typeof modelFile>>;

export const cardFile = 'card.json';

/** What is known of a model without a card. */
export const emptyCard: ModelCard = cardSchema.parse({});

/**
 * @param where the card's path, for the message
 * @throws UserError, in one line, for what is no card: an unknown key, or a value that is not what the key stands for
 */
export function parseCard(where: string, content: Uint8Array | string): ModelCard {
  return checkedJson(cardSchema, typeof content === 'string' ? content : new TextDecoder().decode(content), where);
}

/**
 * @param folder below `models`: a model's, or one of its versions'
 * @throws UserError when there is no card, or it is none
 */
export async function readCard(models: string, folder: string): Promise<ModelCard> {
  const path = join(models, folder, cardFile);
  return parseCard(path, await readBytes(path));
}

export const cardBytes = (card: ModelCard): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(card, null, 2)}\n`);

export const describeFile = (bytes: Uint8Array): ModelFile => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.byteLength,
});
