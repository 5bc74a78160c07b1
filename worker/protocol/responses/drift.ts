/** The schema of a report on drift. */
import * as z from 'zod/mini';
import { count, described, list, real, text } from './vocabulary.ts';

/** Describes what worker/drift answers. */
export function driftSchema() {
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
