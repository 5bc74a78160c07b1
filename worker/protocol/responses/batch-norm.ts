/** Schemas of the reports on Batch Norm layers: as the file holds them, and as they treat a sample. */
import * as z from 'zod/mini';
import { channelwise, count, described, list, real, text } from './vocabulary.ts';

export function batchNormSchema() {
  return z.object({
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
  });
}

/** Describes a layer in an answer of `explain`. */
export function explainedLayerSchema() {
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
