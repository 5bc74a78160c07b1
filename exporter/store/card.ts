/**
 * The model card, `card.json`, says what is known of a model, beside its files. It is the contract that the build, the
 * Worker, a release and the documents read. The card of a model from elsewhere has those members that its author knows;
 * none is required.
 */
import { hash } from 'node:crypto';
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
import { weightPlaces, weightTypes } from '../served/round-weights.ts';
import { isModelName } from './model-name.ts';
import { statedPicture } from './stated-picture.ts';

const size = z
  .int()
  .min(-1)
  .refine((value) => value !== 0, { error: 'expected a size, or -1 for a free one, got 0' });

const tensorCard = z.strictObject({
  name: z.string(),
  datatype: z.enum(datatypes),
  /**
   * `shape` marks a free size with −1; its first size is the number of samples. It is absent if the file states no
   * shape.
   */
  shape: z.array(size).readonly().exactOptional(),
  /**
   * `columns` says what the numbers of a row mean. A category is passed as its index, and a missing value as NaN if the
   * column has a fill.
   */
  columns: z.array(columnSchema).readonly().exactOptional(),
  /** `picture` says how pictures become this input, as far as it is stated. */
  picture: statedPicture.exactOptional(),
});

const modelOutput = z.strictObject({ name: z.string(), kind: z.enum(servedKinds) });

export const engines = ['auto', 'compiled', 'onnxruntime'] as const;
export type Engine = (typeof engines)[number];

/** Says what happens to a row that does not fit the model's columns, if the request does not say it. */
const unknown = z.enum(['refuse', 'ignore', 'fill'] as const satisfies readonly Unknown[]);

/**
 * Says where the exported running statistics come from: the average kept in training, or a pass over the training set.
 */
const statistics = z.enum(['running', 'population']);

const scores = z.strictObject({
  /** `name` is the objective's, such as `accuracy` or `RMSE`. */
  name: z.string(),
  better: z.enum(['higher', 'lower']),
  /** The scores on the test samples, with either statistics. */
  test: z.strictObject({
    running: z.number(),
    population: z.number(),
    /** The score with each sample alone, normalized by its own statistics. */
    batchOfOne: z.number(),
  }),
  /** The score of a constant answer: the most frequent class, or the mean of the numbers. */
  baseline: z.number(),
});

/** Summarises the training: the run folder has the rest, and the paths. */
const training = z.strictObject({
  data: z.strictObject({
    name: z.string(),
    train: z.int(),
    validation: z.int(),
    test: z.int(),
    /** The hash of the training and validation samples as they were read. */
    sha256: z.string().exactOptional(),
    /** `label` is the column of a table that is predicted. */
    label: z.string().exactOptional(),
    /** The share of each class in the training samples, in the order of `labels`. */
    classShares: z.array(z.number().min(0).max(1)).readonly().exactOptional(),
  }),
  objective: z.enum(objectiveKinds),
  optimizer: z.string(),
  learningRate: z.number(),
  schedule: z.string(),
  epochs: z.int(),
  /** The epoch with the lowest validation loss, counted from 1. */
  bestEpoch: z.int(),
  batchSize: z.int(),
  /** `augment` says how pictures were changed in each epoch. */
  augment: augmentationSchema.exactOptional(),
  bnMomentum: z.union([z.number(), z.literal('none')]),
  seed: z.int(),
  /** The engine, its version and its number of threads, which bit-identical repetition needs. */
  engine: z.string(),
  steps: z.int(),
});

/** Says how running statistics were measured again, on samples without labels. */
const recalibrated = z.strictObject({
  /** The version whose statistics were replaced. */
  from: z.string(),
  data: z.string(),
  samples: z.int(),
  /** The number of samples that the former statistics counted for. */
  prior: z.number(),
  /** The score before and after, if the samples had labels. */
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
        /** σ′² / σ² over the channels; its average is the geometric mean. */
        variance: z.strictObject({ average: z.number(), smallest: z.number(), largest: z.number() }),
      }),
    )
    .readonly(),
});

/** Hugging Face's form of `labels`: an object with each index as a key, in any order. */
export const labelsById = z
  .record(z.string(), z.string())
  .refine((names) => Object.keys(names).every((_, index) => String(index) in names), {
    error: 'expected a name for each index from 0 on',
  })
  .transform((names): readonly string[] => Object.keys(names).map((_, index) => names[String(index)] ?? ''));

/** Says for which goal a threshold was chosen on the validation part. */
const thresholdRule = z.union([
  z.literal('f1'),
  z.strictObject({ fp: z.number().positive(), fn: z.number().positive() }).readonly(),
]);

const modelFile = z.strictObject({ sha256: z.string(), bytes: z.int() });

/** The members as they are written: those of one kind stand together, under a line that names them. */
const written = z.strictObject({
  // The model, and its answer.
  name: z.string().exactOptional(),
  /** `version` is part of the URL; each release increases it. */
  version: z
    .string()
    .refine(isModelName, {
      error: ({ input }) => `expected letters, digits, '.', '_' and '-', got ${JSON.stringify(input)}`,
    })
    .default('1'),
  description: z.string().exactOptional(),
  /** `labels` lists the classes in the order of the output's numbers; absent if the output is a number. */
  labels: z.array(z.string()).readonly().exactOptional(),
  /** `id2label` is the same in the form of Hugging Face's `config.json`. */
  id2label: labelsById.exactOptional(),
  /** `output` names the output that is the model's answer. */
  output: modelOutput.exactOptional(),

  // How the Worker serves it.
  /** `explain` deploys the twin as well, which shows every Batch Norm layer and can normalize by the mini-batch. */
  explain: z.boolean().default(false),
  /** `monitor` makes the Worker count the model's requests, to see drift. */
  monitor: z.boolean().exactOptional(),
  /** `reference` says how the values of the columns were spread in training. */
  reference: z.array(columnReferenceSchema).readonly().exactOptional(),
  /**
   * Decides about a file whose Batch Norm normalizes with the mini-batch's own statistics: `inference` uses the running
   * ones that are stored in it, `as-is` serves the file unchanged.
   */
  batchNorm: z.enum(batchNormUses).exactOptional(),
  /**
   * Says, for a table, what happens to unknown names and values if a request does not say it. Default: they are
   * refused.
   */
  unknown: unknown.exactOptional(),
  /**
   * Says what runs the model: `compiled`, a program of its own; `onnxruntime`; or `auto`, compiled if possible and ONNX
   * Runtime otherwise.
   */
  engine: z.enum(engines).exactOptional(),
  /**
   * The type in which the weights are stored, which makes up most of a Worker's size. They are rounded when the image
   * is built.
   */
  weights: z.enum(weightTypes).exactOptional(),
  /**
   * Says where the weights are stored: in the script, or as static assets that are read at the model's first request.
   */
  weightsIn: z.enum(weightPlaces).exactOptional(),

  // How its numbers become an answer.
  /**
   * The probability from which on a label is given. Of two classes it is set for one, and the other is given below it.
   * Of labels that do not exclude each other it may be set for any; the default is 0.5.
   */
  threshold: z.strictObject({ at: thresholdsSchema, for: thresholdRule.exactOptional() }).exactOptional(),
  /** The share of values that the interval around a number is to hold: the level of an entry in `intervals`. */
  interval: z.number().gt(0).lt(1).exactOptional(),
  /**
   * The width of the interval for each level, from the residuals of the validation part, and the share of the test part
   * that it held.
   */
  intervals: z.array(intervalSchema).readonly().exactOptional(),

  // Its tensors.
  inputs: z.array(tensorCard).readonly().exactOptional(),
  outputs: z.array(tensorCard).readonly().exactOptional(),

  // What was measured when it was exported.
  statistics: statistics.exactOptional(),
  scores: scores.exactOptional(),
  /** All that was measured of the exported file on the test samples. */
  metrics: z.record(z.string(), z.number()).exactOptional(),
  /** The number by which the file divides the logits, so that its probabilities are calibrated. */
  temperature: z.number().positive().exactOptional(),
  /** The calibration of the probabilities, on the test samples. */
  calibration: calibrationSchema.exactOptional(),
  /** The importance of each column, on the test samples. */
  importance: importanceSchema.exactOptional(),
  /** The largest difference between the answers of the file and of the training graph on the test samples. */
  verification: z.strictObject({ samples: z.int(), largestDifference: z.number() }).exactOptional(),

  // Where it comes from, and its files.
  network: networkSchema.exactOptional(),
  training: training.exactOptional(),
  recalibrated: recalibrated.exactOptional(),
  /** Maps the names of the files beside the card to their hashes and sizes. */
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

/** The card of a model without one. */
export const emptyCard: ModelCard = cardSchema.parse({});

/**
 * Parses a card.
 *
 * @param where the card's path, for the message
 * @throws UserError, in one line, for an unknown key, or a value that does not fit its key
 */
export function parseCard(where: string, content: Uint8Array | string): ModelCard {
  return checkedJson(cardSchema, typeof content === 'string' ? content : new TextDecoder().decode(content), where);
}

/**
 * Reads a card.
 *
 * @param folder below `models`: a model's, or that of one of its versions
 * @throws UserError if there is no card, or it is not valid
 */
export async function readCard(models: string, folder: string): Promise<ModelCard> {
  const path = join(models, folder, cardFile);
  return parseCard(path, await readBytes(path));
}

export const cardBytes = (card: ModelCard): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(card, null, 2)}\n`);

export const describeFile = (bytes: Uint8Array): ModelFile => ({
  sha256: hash('sha256', bytes),
  bytes: bytes.byteLength,
});
