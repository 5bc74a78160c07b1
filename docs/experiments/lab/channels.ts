/** Splits a mini-batch of activations `[N, C, ..]` into channels, in float64. */
import { present } from '../../../training/arrays/index.ts';
import { range } from './range.ts';
import { mean } from './statistics.ts';

/** Returns the values of every channel: `[C]` lists of N · H · W. */
export function channelsOf(values: Float32Array, channels: number, samples: number): readonly Float64Array[] {
  const size = values.length / (samples * channels);
  return range(channels).map((channel) =>
    Float64Array.from({ length: samples * size }, (_, i) => {
      const sample = Math.floor(i / size);
      return present(values[(sample * channels + channel) * size + (i % size)]);
    }),
  );
}

export interface Moments {
  readonly mean: number;
  /** The population variance, divided by m. */
  readonly variance: number;
}

/** Computes μ = 1/m Σ z and σ² = 1/m Σ (z − μ)². */
export function moments(values: Float64Array): Moments {
  const centre = mean(values);
  return { mean: centre, variance: mean(values.map((value) => (value - centre) ** 2)) };
}
