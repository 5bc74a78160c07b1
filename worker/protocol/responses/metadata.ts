/** Schemas of the descriptions of a model: its metadata, Triton's configuration, and counts of its requests. */
import * as z from 'zod/mini';
import type { OutputKind } from '../../image.ts';
import { probabilitiesOf } from '../../predict/kinds.ts';
import { count, described, list, text } from './vocabulary.ts';

/** @param tensor describes an input or an output */
export function modelMetadataSchema<Tensor extends z.ZodMiniType>(tensor: Tensor) {
  return z.object({
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
      columns: z.optional(described(list(columnSchema()), 'What a row of the table is, in the order of the columns.')),
      output: z.optional(
        described(
          z.object({ name: text, kind: z.enum(Object.keys(probabilitiesOf) as OutputKind[]) }),
          'Which output is the answer, and what its values are.',
        ),
      ),
      picture: z.optional(described(pictureSchema(), 'What a picture becomes, for a model that takes pictures.')),
      explain: z.optional(described(z.literal(true), 'The path explain looks into its layers.')),
      drift: z.optional(described(z.literal(true), 'The path drift reports how far requests are from training.')),
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
  });
}

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

export function modelConfigSchema() {
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

export function statisticsSchema() {
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
