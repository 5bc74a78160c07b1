/** The training page's own computations agree with the float64 interpreter and with differences. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import { checkGraph, graphBuilder } from '../../../training/graph/index.ts';
import { derive } from '../../../worker/page/train/derive.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { createRandom } from '../../../training/data/index.ts';

const within = 1e-9;

const cases = [
  { m: 1, gamma: 1.5, beta: -0.25, epsilon: 1e-5, momentum: 0.9 },
  { m: 2, gamma: 0.5, beta: 0, epsilon: 1e-5, momentum: 0 },
  { m: 32, gamma: -1.25, beta: 0.75, epsilon: 1e-3, momentum: 0.99 },
] as const;

describe.each(cases)('Batch Norm by hand, of $m numbers', ({ m, gamma, beta, epsilon, momentum }) => {
  const random = createRandom(m);
  const z = Array.from({ length: m }, () => 3 + 2 * random.normal());
  const dAfter = Array.from({ length: m }, () => random.normal());
  const [runningMean, runningVar] = [0.5, 2];
  const derived = derive({ z, dAfter, gamma, beta, epsilon, momentum, runningMean, runningVar });

  it('has the values and gradients of the training graph in float64', () => {
    const g = graphBuilder();
    const input = (name: string, shape: readonly number[]) => g.input(name, { dtype: 'float32', shape });
    const [x, w] = [input('z', [m, 1]), input('w', [m, 1])];
    const [scale, B, mean, variance] = [input('scale', [1]), input('B', [1]), input('mean', [1]), input('var', [1])];
    const [y, batchMean, batchVar] = g.BatchNormalization(x, scale, B, mean, variance, {
      ...{ epsilon, momentum: 0, training_mode: 1 },
    });
    const loss = g.ReduceSum(g.Mul(y, w), g.ints([0, 1]), { keepdims: 0 });
    const [dz, dGamma, dBeta] = gradients(g, loss, [x, scale, B]);
    if (!dz || !dGamma || !dBeta) throw new Error('no gradients');
    const graph = checkGraph(g.build('step', { y, batchMean, batchVar, dz, dGamma, dBeta }));
    const column = (data: readonly number[]) => ({ shape: [m, 1], data: Float64Array.from(data) });
    const one = (value: number) => ({ shape: [1], data: Float64Array.of(value) });
    const expected = evaluate(graph, {
      ...{ z: column(z), w: column(dAfter), scale: one(gamma), B: one(beta) },
      ...{ mean: one(runningMean), var: one(runningVar) },
    });
    const ours = {
      ...{ y: derived.after, dz: derived.dz },
      ...{ batchMean: [derived.mean], batchVar: [derived.variance], dGamma: [derived.dGamma], dBeta: [derived.dBeta] },
    };
    for (const [name, values] of Object.entries(ours)) {
      Array.from(expected[name]?.data ?? []).forEach((value, i) => {
        expect(Math.abs((values[i] ?? NaN) - value), `${name} ${i}`).toBeLessThan(within);
      });
      expect(expected[name]?.data, name).toHaveLength(values.length);
    }
  });

  it('has the gradient that central differences of the loss have', () => {
    const step = 1e-5;
    const lossOf = (values: readonly number[]): number =>
      derive({ z: values, dAfter, gamma, beta, epsilon, momentum, runningMean, runningVar }).after.reduce(
        (sum, value, i) => sum + value * (dAfter[i] ?? NaN),
        0,
      );
    z.forEach((_, i) => {
      const moved = (by: number) => z.map((value, k) => (k === i ? value + by : value));
      const slope = (lossOf(moved(step)) - lossOf(moved(-step))) / (2 * step);
      expect(Math.abs(slope - (derived.dz[i] ?? NaN))).toBeLessThan(1e-5);
    });
  });

  it('moves the running statistics by the share that is not kept', () => {
    expect(derived.nextMean).toBeCloseTo(momentum * 0.5 + (1 - momentum) * derived.mean, 12);
    expect(derived.nextVar).toBeCloseTo(momentum * 2 + (1 - momentum) * derived.variance, 12);
  });
});
