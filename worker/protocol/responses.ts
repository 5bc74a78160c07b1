/**
 * Schemas of answers, from which the types of the code, the reference at /docs and the tests all come. They are made on
 * demand, because no request needs them.
 */
import * as z from 'zod/mini';
import type { OutputKind } from '../image.ts';
import { probabilitiesOf } from '../predict/kinds.ts';
import { datatypes, type Datatype } from './datatypes.ts';

const text = z.string();
const count = z.int().check(z.nonnegative());
/** A number, or null for NaN and infinities, which JSON does not have. */
const real = z.nullable(z.number());
const channelwise = z.readonly(z.array(real)).check(z.describe('One value per channel, [C].'));
const list = <Item extends z.ZodMiniType>(item: Item) => z.readonly(z.array(item));
const described = <Schema extends z.ZodMiniType>(schema: Schema, text: string): Schema =>
  schema.check(z.describe(text));

function columnSchema() {
  return z.object({
    name: text,
    kind: z.enum(['numeric', 'categorical', 'date']),
    categories: z.optional(list(text)),
    unit: z.optional(described(text, 'The sign beside the numbers in training, such as $ or %.')),
    parts: z.optional(described(list(text), 'The parts of a date that the model gets.')),
    order: z.optional(described(text, 'The order of day, month and year in a date such as 03/04/2024.')),
    years: z.optional(described(list(z.int()), 'Years before the first and after the last count as these.')),
    range: z.optional(
      described(
        list(z.union([z.number(), text])),
        'The minimum and the maximum of training, or the first and the last date.',
      ),
    ),
    typical: z.optional(
      described(
        z.union([z.number(), text]),
        'The mean of training, the most frequent category, or the date in the middle.',
      ),
    ),
    required: described(z.boolean(), 'Whether a value must be present: none was missing in training.'),
    missing: z.optional(described(text, 'How the value that replaces a missing one was found.')),
    fill: z.optional(described(z.union([z.number(), text]), 'The value that replaces a missing one.')),
  });
}

function pictureSchema() {
  const drawing = described(z.literal(true), 'Pictures are framed and centred like the digits of MNIST.');
  return z.object({
    rows: count,
    columns: count,
    channels: described(z.union([z.literal(1), z.literal(3), z.literal(4)]), 'Grey, colours, or colours and alpha.'),
    drawing: z.optional(drawing),
  });
}

function explainedSchema() {
  const flip = z.object({ column: text, value: z.union([z.number(), text]), label: text, probability: z.number() });
  return z.object({
    of: z.optional(described(text, 'The label whose probability is the score; absent for a number.')),
    score: z.number(),
    base: described(z.number(), 'The score of the typical row of training.'),
    contributions: described(
      z.record(text, z.number()),
      'The Shapley value of each column; they add up to score - base.',
    ),
    exact: described(z.boolean(), 'Whether all orders of the columns were counted; otherwise some were.'),
    flips: z.optional(described(list(flip), 'Values of one column that would change the label, nearest first.')),
    rows: described(count, 'The number of rows that were run for it.'),
  });
}

/** Describes an answer of KServe's V1 protocol. */
function answerSchema() {
  const explanation = z.optional(described(explainedSchema(), 'Why the answer is so, if the request asked for it.'));
  const warnings = z.optional(
    described(list(text), 'What was left out or filled, what is far from the values of training, and "not a number".'),
  );
  const probabilities = z.record(text, z.number());
  return z.union([
    z.object({
      label: z.nullable(text),
      probability: real,
      probabilities: z.optional(described(probabilities, 'The probability of each class, by its label.')),
      warnings,
      explanation,
    }),
    z.object({
      labels: described(
        z.nullable(list(text)),
        'All labels that apply: with a probability of at least 0.5, or the one that the card gives for the label; null when the output is not finite.',
      ),
      probabilities: z.optional(described(probabilities, 'The probability of each label.')),
      warnings,
      explanation,
    }),
    z.object({
      value: real,
      low: z.optional(described(real, 'The lower end of the interval around the value, if the model has one.')),
      high: z.optional(real),
      warnings,
      explanation,
    }),
    z.object({ values: z.nullable(list(z.number())), warnings }),
  ]);
}

/** Describes how answers are read, and how far they are to be trusted. */
function qualitySchemas() {
  const share = z.number();
  const bin = z.object({ from: share, to: share, samples: count, confidence: share, accuracy: share });
  return {
    threshold: z.optional(
      described(
        z.record(text, share),
        'The probability from which a label is the answer, where that is not simply the most probable label, or a half.',
      ),
    ),
    interval: z.optional(
      described(
        z.object({
          level: share,
          half_width: z.number(),
          coverage: z.optional(described(share, 'The share of the test rows that it held.')),
        }),
        'The interval between low and high; level is the share of values that it is to hold.',
      ),
    ),
    calibration: z.optional(
      described(
        z.object({ error: described(share, 'The expected calibration error.'), bins: list(bin) }),
        'How far the probabilities of answers were from the share that was right, on the test samples.',
      ),
    ),
    importance: z.optional(
      described(
        z.object({
          measure: described(text, 'The measure that grows when the values of a column are shuffled among the rows.'),
          rows: count,
          repeats: count,
          columns: list(z.object({ name: text, mean: z.number(), deviation: z.number() })),
        }),
        'What each column is worth, on the test samples.',
      ),
    ),
  };
}

function protocolSchemas() {
  const parameters = z.record(text, z.union([text, z.number(), z.boolean()]));
  const datatype = z.enum(Object.keys(datatypes) as Datatype[]);
  const tensor = z.object({
    name: text,
    datatype,
    shape: described(
      list(z.int()),
      '-1 stands for a dimension of any size; [-1] also for any shape, if the file gives none.',
    ),
  });
  const output = z.object({
    ...tensor.shape,
    datatype: described(z.enum([...datatype.options, 'BYTES']), 'BYTES for classes, as `value:index:label`.'),
    shape: list(count),
    parameters: z.optional(z.object({ binary_data_size: count })),
    data: z.optional(
      described(
        list(z.union([z.number(), z.boolean(), text])),
        'Row-major. NaN, infinities and integers beyond 2^53 are strings. Absent where the data follow as bytes.',
      ),
    ),
  });
  const named = { model_name: text, model_version: text, id: z.optional(text) };
  const docs = z.optional(described(text, 'A path on this server: the reference, where it is turned on.'));
  const buildError = z.optional(
    described(text, 'Under wrangler dev: why the current models cannot be built; the previous ones answer.'),
  );
  return {
    ServerMetadata: z.object({ name: text, version: text, extensions: list(text), docs, build_error: buildError }),
    Live: z.object({ live: z.boolean() }),
    Ready: z.object({ live: z.boolean(), ready: z.boolean() }),
    ModelReady: z.object({ name: text, ready: z.boolean() }),
    ModelMetadata: z.object({
      name: text,
      versions: list(text),
      platform: text,
      inputs: list(tensor),
      outputs: list(tensor),
      parameters: z.object({
        description: z.optional(text),
        labels: z.optional(list(text)),
        statistics: z.optional(
          described(z.literal('batch'), "The layers normalize with the mini-batch's own statistics by themselves."),
        ),
        columns: z.optional(
          described(list(columnSchema()), 'What a row of the table is, in the order of the columns.'),
        ),
        output: z.optional(
          described(
            z.object({ name: text, kind: z.enum(Object.keys(probabilitiesOf) as OutputKind[]) }),
            'Which output is the answer, and what its values are.',
          ),
        ),
        picture: z.optional(described(pictureSchema(), 'What a picture becomes, for a model that takes pictures.')),
        explain: z.optional(described(z.literal(true), 'The path explain looks into its layers.')),
        drift: z.optional(described(z.literal(true), 'The path drift tells how far requests are from training.')),
        weights: z.optional(
          described(
            z.object({
              type: z.enum(['float32', 'float16', 'int8']),
              largest_difference: z.number(),
              relative_difference: described(z.number(), 'As a share of the largest number of that output.'),
              samples: z.number(),
              changed_classes: z.optional(z.number()),
            }),
            'What the weights were rounded to, and how far answers are from those in single precision.',
          ),
        ),
        ...qualitySchemas(),
        explains_rows: z.optional(described(z.literal(true), 'The path predict takes explain: true.')),
        remarks: z.optional(described(list(text), "What else is known of the model's Batch Norm layers.")),
      }),
    }),
    RepositoryIndex: list(z.object({ name: text, version: text, state: z.literal('READY'), reason: text })),
    ModelConfig: modelConfigSchema(),
    ModelStatistics: z.object({
      model_stats: described(list(statisticsSchema()), 'Counted by each isolate, since it started.'),
    }),
    InferenceResponse: z.object({ ...named, parameters: z.optional(parameters), outputs: list(output) }),
    Overview: z.object({
      name: text,
      version: text,
      models: list(
        z.object({ name: text, version: text, url: described(text, "A path on this server: the model's metadata.") }),
      ),
      docs,
      build_error: buildError,
    }),
    Error: z.object({ error: described(text, 'where: expected X, got Y') }),
  };
}

function modelConfigSchema() {
  const tensor = z.object({ name: text, data_type: described(text, 'Such as TYPE_FP32.'), dims: list(z.int()) });
  return z.object({
    name: text,
    platform: text,
    backend: text,
    max_batch_size: described(count, '0 when the first dimension is not the batch; otherwise dims leave it out.'),
    input: list(tensor),
    output: list(tensor),
  });
}

function statisticsSchema() {
  const took = z.object({ count, ns: described(count, 'Always 0: no clock runs while a Worker computes.') });
  return z.object({
    name: text,
    version: text,
    last_inference: described(count, 'Milliseconds since 1970; 0 where there was none.'),
    inference_count: described(count, 'Samples.'),
    execution_count: described(count, 'Requests.'),
    inference_stats: z.object({
      success: took,
      fail: took,
      queue: took,
      compute_input: took,
      compute_infer: took,
      compute_output: took,
    }),
    batch_stats: list(z.never()),
  });
}

function predictionSchema() {
  const ranked = z.object({ label: text, index: count, probability: real });
  return z.object({
    label: described(z.nullable(text), 'Null when the output is not finite.'),
    probability: described(real, 'Null also when the model chooses a class without one.'),
    labels: z.optional(
      described(z.nullable(list(text)), 'All labels that apply, for a model whose labels do not exclude each other.'),
    ),
    top: described(list(ranked), 'The most probable first; empty without probabilities.'),
    warnings: z.optional(described(list(text), 'What is wrong with the answer: "not a number".')),
  });
}

function explainSchema() {
  const signal = z.object({
    mean: channelwise,
    variance: channelwise,
    minimum: channelwise,
    maximum: channelwise,
    counts: described(list(list(count)), 'Histogram, [C][bins]: equal-width bins from minimum to maximum.'),
    data: z.optional(described(list(real), 'Row-major, [C, …].')),
  });
  const view = z.object({
    mean: described(channelwise, 'The μ that normalizes here.'),
    variance: described(channelwise, 'The σ² that normalizes here.'),
    z: described(signal, 'The input of the layer.'),
    z_hat: described(signal, 'ẑ = (z − μ) / √(σ² + ε)'),
    z_tilde: described(signal, 'z̃ = γ ẑ + β'),
  });
  return z.object({
    name: text,
    channels: count,
    shape: described(list(count), 'Of one sample, [C, …].'),
    epsilon: z.number(),
    gamma: channelwise,
    beta: channelwise,
    running: described(view, 'The network with its fixed running statistics.'),
    batch: described(view, "The same network with this mini-batch's own statistics in every layer."),
  });
}

/** Describes what worker/drift answers. */
function driftSchema() {
  const drifted = described(
    z.nullable(z.boolean()),
    'Null when there are too few samples for a verdict, or nothing to compare.',
  );
  const score = described(real, 'The largest difference as a multiple of its threshold: from 1 upwards it is drift.');
  const start = described(count, 'Milliseconds since 1970, at a full hour.');
  const channel = z.object({
    channel: described(count, 'Counted from 0.'),
    score,
    mean_shift: described(real, '(mean − μ) / √(σ² + ε): in running standard deviations.'),
    mean_threshold: real,
    log_variance_ratio: described(real, 'ln((variance + ε) / (σ² + ε))'),
    variance_threshold: real,
  });
  const layer = z.object({
    name: text,
    channels: count,
    drifted,
    score,
    drifted_channels: count,
    worst: described(list(channel), 'The channels with the largest scores.'),
  });
  const column = z.object({
    name: text,
    drifted,
    score,
    stability_index: described(real, 'The population stability index against training: Σ (p − q) ln(p / q).'),
    threshold: real,
    missing: described(z.number(), 'The share of rows with a gap here.'),
    out_of_range: described(z.number(), 'The share of rows with a value beyond those of training.'),
  });
  const classes = z.object({
    drifted: z.optional(drifted),
    score: z.optional(score),
    distance: z.optional(
      described(
        real,
        'The total variation distance of the shares; absent when the card does not say what is expected.',
      ),
    ),
    threshold: z.optional(real),
    shares: list(z.object({ label: text, share: z.number(), expected: z.optional(z.number()) })),
  });
  const window = z.object({
    start,
    hours: count,
    samples: count,
    drifted,
    score,
    tests: described(count, 'The number of differences that share the probability of a false alarm.'),
    layers: list(layer),
    columns: list(column),
    classes: z.optional(described(classes, 'The answers of a model for classes.')),
  });
  return z.object({
    model_name: text,
    model_version: text,
    drifted: described(
      z.nullable(z.boolean()),
      'The verdict on the newest window with enough samples; null when there is none, or nothing to compare.',
    ),
    note: z.optional(text),
    least_samples: described(count, 'Windows of fewer samples are not judged.'),
    false_alarms: described(
      z.number(),
      'The probability of a false alarm, over all tests of a window, for which the thresholds are made.',
    ),
    window: described(
      z.nullable(window),
      'The newest window with enough samples, or else the newest; null when there is none.',
    ),
    trend: described(list(z.object({ start, samples: count, drifted, score })), 'All windows, the oldest first.'),
  });
}

function ownSchemas() {
  const named = { model_name: text, model_version: text, id: z.optional(text) };
  const prediction = predictionSchema();
  const answer = answerSchema();
  return {
    Explanation: explainedSchema(),
    PredictResponse: z.object({
      predictions: described(list(answer), 'One per row.'),
      note: z.optional(text),
    }),
    V1Models: z.object({ models: described(list(text), 'Their names.') }),
    V1Ready: z.object({ name: text, ready: z.boolean() }),
    ClassifyResponse: z.object({
      ...named,
      statistics: z.enum(['running', 'batch']),
      note: z.optional(text),
      predictions: described(
        list(z.extend(prediction, { image: z.optional(described(text, 'What the model saw: a PNG as a data URL.')) })),
        'One per sample.',
      ),
    }),
    BatchNormResponse: z.object({
      model_name: text,
      model_version: text,
      remarks: z.optional(described(list(text), 'About layers that are not listed, or behave differently.')),
      layers: list(
        z.object({
          name: text,
          channels: count,
          epsilon: z.number(),
          momentum: described(z.number(), 'The share of the old running value that an update keeps.'),
          gamma: channelwise,
          beta: channelwise,
          running_mean: channelwise,
          running_var: channelwise,
          scale: described(channelwise, 'γ / √(σ² + ε)'),
          shift: described(channelwise, 'β − μ · scale'),
        }),
      ),
    }),
    DriftResponse: driftSchema(),
    ExplainResponse: z.object({
      ...named,
      batch_size: count,
      sample: count,
      predictions: z.optional(
        described(z.object({ running: prediction, batch: prediction }), 'For a model for classes.'),
      ),
      answers: z.optional(
        described(
          z.object({ running: answer, batch: answer }),
          'The answers as of predict, for a model whose card says what its output is.',
        ),
      ),
      layers: list(explainSchema()),
    }),
  };
}

export function responseSchemas() {
  return { ...protocolSchemas(), ...ownSchemas() };
}

type Responses = {
  [Name in keyof ReturnType<typeof responseSchemas>]: z.output<ReturnType<typeof responseSchemas>[Name]>;
};

export type Overview = Responses['Overview'];
export type ServerMetadata = Responses['ServerMetadata'];
export type ModelMetadata = Responses['ModelMetadata'];
export type RepositoryIndex = Responses['RepositoryIndex'];
export type ModelConfig = Responses['ModelConfig'];
export type ModelStatistics = Responses['ModelStatistics']['model_stats'][number];
export type InferenceResponse = Responses['InferenceResponse'];
export type ResponseOutput = InferenceResponse['outputs'][number];
export type BatchNormResponse = Responses['BatchNormResponse'];
export type ClassifyResponse = Responses['ClassifyResponse'];
export type PredictResponse = Responses['PredictResponse'];
export type Prediction = ClassifyResponse['predictions'][number];
export type PictureInfo = NonNullable<ModelMetadata['parameters']['picture']>;
export type ColumnInfo = NonNullable<ModelMetadata['parameters']['columns']>[number];
export type Explained = z.output<ReturnType<typeof explainedSchema>>;
export type RowPrediction = PredictResponse['predictions'][number];
export type DriftResponse = Responses['DriftResponse'];
export type ExplainResponse = Responses['ExplainResponse'];
