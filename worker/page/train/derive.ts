/**
 * Computes one step of Batch Norm on one channel in float64: forward, backward, and the running statistics after it.
 */
import { at } from '../../../training/arrays/index.ts';

/**
 * The inputs of the step. The letters are those of the derivation of the gradient
 * (training/autodiff/rules/normalization.ts).
 */
export interface ChannelStep {
  /** `[m]` */
  readonly z: ArrayLike<number>;
  /** ∂L/∂z̃, `[m]` */
  readonly dAfter: ArrayLike<number>;
  readonly gamma: number;
  readonly beta: number;
  readonly epsilon: number;
  /** The share of the old running statistics that the step keeps. */
  readonly momentum: number;
  readonly runningMean: number;
  readonly runningVar: number;
}

export interface Derived {
  readonly mean: number;
  /** The population variance: divided by m, not m − 1. */
  readonly variance: number;
  /** √(σ² + ε) */
  readonly deviation: number;
  /** ẑ, z̃ and ∂L/∂z, each `[m]`. */
  readonly normalized: readonly number[];
  readonly after: readonly number[];
  readonly dz: readonly number[];
  readonly dGamma: number;
  readonly dBeta: number;
  readonly nextMean: number;
  readonly nextVar: number;
}

export function derive({
  z: given,
  dAfter,
  gamma,
  beta,
  epsilon,
  momentum,
  runningMean,
  runningVar,
}: ChannelStep): Derived {
  const z = Array.from(given);
  const m = z.length;
  const mean = sum(z) / m;
  const variance = sum(z.map((value) => (value - mean) ** 2)) / m;
  const deviation = Math.sqrt(variance + epsilon);
  const normalized = z.map((value) => (value - mean) / deviation);
  const dOut = Array.from(dAfter);
  const dBeta = sum(dOut);
  const dGamma = sum(dOut.map((d, i) => d * at(normalized, i)));
  return {
    ...{ mean, variance, deviation, normalized, dGamma, dBeta },
    after: normalized.map((value) => gamma * value + beta),
    // dz = γ / √(σ² + ε) · (dz̃ − dβ / m − ẑ · dγ / m)
    dz: dOut.map((d, i) => (gamma / deviation) * (d - dBeta / m - (at(normalized, i) * dGamma) / m)),
    nextMean: momentum * runningMean + (1 - momentum) * mean,
    nextVar: momentum * runningVar + (1 - momentum) * variance,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
