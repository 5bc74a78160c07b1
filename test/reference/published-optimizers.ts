/**
 * The published updates, written out in float64 without code of training/: one parameter vector, one gradient a step.
 */

export interface Step {
  /** The step, counted from 1. */
  readonly t: number;
  readonly gradient: readonly number[];
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** Keeps its own state, and returns θ after a step. */
type Published = () => (theta: readonly number[], step: Step) => readonly number[];

const l2 = (theta: readonly number[], { gradient, weightDecay }: Step) =>
  gradient.map((g, i) => g + weightDecay * (theta[i] ?? NaN));

/** m̂ / (√v̂ + ε) */
const adamStep = (m: number[], v: number[], g: readonly number[], t: number) =>
  g.map((gi, i) => {
    m[i] = 0.9 * (m[i] ?? 0) + 0.1 * gi;
    v[i] = 0.999 * (v[i] ?? 0) + 0.001 * gi * gi;
    return m[i] / (1 - 0.9 ** t) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
  });

export const published = {
  sgd: () => (theta, step) => {
    const g = l2(theta, step);
    return theta.map((x, i) => x - step.learningRate * (g[i] ?? NaN));
  },
  momentum: () => {
    const v: number[] = [];
    return (theta, step) => {
      const g = l2(theta, step);
      return theta.map((x, i) => {
        v[i] = 0.9 * (v[i] ?? 0) + (g[i] ?? NaN);
        return x - step.learningRate * v[i];
      });
    };
  },
  nesterov: () => {
    const v: number[] = [];
    return (theta, step) => {
      const g = l2(theta, step);
      return theta.map((x, i) => {
        v[i] = 0.9 * (v[i] ?? 0) + (g[i] ?? NaN);
        return x - step.learningRate * ((g[i] ?? NaN) + 0.9 * v[i]);
      });
    };
  },
  rmsprop: () => {
    const v: number[] = [];
    return (theta, step) => {
      const g = l2(theta, step);
      return theta.map((x, i) => {
        const gi = g[i] ?? NaN;
        v[i] = 0.99 * (v[i] ?? 0) + 0.01 * gi * gi;
        return x - (step.learningRate * gi) / (Math.sqrt(v[i]) + 1e-8);
      });
    };
  },
  adam: () => {
    const [m, v]: [number[], number[]] = [[], []];
    return (theta, step) => {
      const direction = adamStep(m, v, l2(theta, step), step.t);
      return theta.map((x, i) => x - step.learningRate * (direction[i] ?? NaN));
    };
  },
  adamw: () => {
    const [m, v]: [number[], number[]] = [[], []];
    return (theta, step) => {
      const direction = adamStep(m, v, step.gradient, step.t);
      const { learningRate, weightDecay } = step;
      return theta.map((x, i) => x - learningRate * (direction[i] ?? NaN) - learningRate * weightDecay * x);
    };
  },
} as const satisfies Readonly<Record<string, Published>>;
