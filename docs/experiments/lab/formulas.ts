/**
 * Computes Batch Norm of one channel as the notes derive it, step by step, in float64. The gradients of the training
 * graph are compared with these.
 */
import { at } from '../../../training/arrays/index.ts';
import { moments } from './channels.ts';
import { sum } from './statistics.ts';

export interface Channel {
  /** Holds m values. */
  readonly z: Float64Array;
  readonly gamma: number;
  readonly beta: number;
  readonly epsilon: number;
}

export interface ChannelGradients {
  readonly dz: Float64Array;
  readonly dGamma: number;
  readonly dBeta: number;
}

/** Computes z̃ = γ (z − μ) / √(σ² + ε) + β. */
export function normalize({ z, gamma, beta, epsilon }: Channel): Float64Array {
  const { mean, variance } = moments(z);
  const s = Math.sqrt(variance + epsilon);
  return z.map((value) => (gamma * (value - mean)) / s + beta);
}

/**
 * Applies the chain rule through ẑ, σ² and μ, with nothing simplified:
 *
 *     dβ  = Σ dz̃                 dγ  = Σ dz̃ · ẑ                   dẑ = γ dz̃
 *     dσ² = Σ dẑ · (z − μ) · (−½)(σ² + ε)^(−3/2)
 *     dμ  = Σ dẑ · (−1) / √(σ² + ε) + dσ² · 1/m Σ −2 (z − μ)
 *     dz  = dẑ / √(σ² + ε) + dσ² · 2 (z − μ) / m + dμ / m
 */
export function derivedGradients({ z, gamma, epsilon }: Channel, dOut: Float64Array): ChannelGradients {
  const m = z.length;
  const { mean, variance } = moments(z);
  const s = Math.sqrt(variance + epsilon);
  const centred = z.map((value) => value - mean);
  const dHat = dOut.map((value) => gamma * value);
  const dVariance = sum(dHat.map((value, i) => value * at(centred, i) * -0.5 * s ** -3));
  const dMean = sum(dHat.map((value) => -value / s)) + (dVariance / m) * sum(centred.map((value) => -2 * value));
  return {
    dz: dHat.map((value, i) => value / s + (dVariance * 2 * at(centred, i)) / m + dMean / m),
    dGamma: sum(dOut.map((value, i) => (value * at(centred, i)) / s)),
    dBeta: sum(dOut),
  };
}

/** Computes (f(x + h) − f(x − h)) / 2h. */
export const centralDifference = (f: (x: number) => number, x: number, h: number): number =>
  (f(x + h) - f(x - h)) / (2 * h);
