/** The functions behind Exp, Log, Erf and others are right over float32's whole range, and for infinities and NaN. */
import { describe, expect, it } from 'vitest';
import { type Graph, graphBuilder, type GraphBuilder, type Value } from '../../../training/graph/index.ts';
import { range } from '../../reference/ndarray.ts';
import { runCompiled } from './run-compiled.ts';

const unary = (emit: (g: GraphBuilder, x: Value) => Value): Graph => {
  const g = graphBuilder();
  return g.build('unary', { y: emit(g, g.input('x', { dtype: 'float32', shape: ['N'] })) });
};

/** Integrates 2/√π e^(−t²) by Simpson's rule, for numbers of any size. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  const f = (t: number) => (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t);
  const steps = 2000;
  const sum = range(steps + 1).reduce((total, i) => {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    return total + weight * f((i * x) / steps);
  }, 0);
  return (sum * x) / steps / 3;
}

const functions = {
  Exp: { emit: (g, x) => g.Exp(x), of: Math.exp },
  Log: { emit: (g, x) => g.Log(x), of: Math.log },
  Tanh: { emit: (g, x) => g.Tanh(x), of: Math.tanh },
  Sigmoid: { emit: (g, x) => g.Sigmoid(x), of: (x) => 1 / (1 + Math.exp(-x)) },
  Softplus: { emit: (g, x) => g.Softplus(x), of: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) },
  Erf: { emit: (g, x) => g.Erf(x), of: erf },
  Sqrt: { emit: (g, x) => g.Sqrt(x), of: Math.sqrt },
  Relu: { emit: (g, x) => g.Relu(x), of: (x) => Math.max(x, 0) },
  LeakyRelu: { emit: (g, x) => g.LeakyRelu(x, { alpha: 0.1 }), of: (x) => (x >= 0 ? x : Math.fround(0.1) * x) },
} as const satisfies Readonly<
  Record<string, { emit: (g: GraphBuilder, x: Value) => Value; of: (x: number) => number }>
>;

const special = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1e-45,
  -1e-45,
  1e-39,
  1.1754944e-38,
  3.4e38,
  -3.4e38,
  88.7,
  88.8,
  89,
  -87,
  -103,
  -104,
  200,
  -200,
];
const magnitudes = range(160).map((i) => 10 ** (i / 4 - 20));
const near = range(400).map((i) => (i - 200) / 20);
const inputs = Float64Array.from([...special, ...magnitudes, ...magnitudes.map((x) => -x), ...near], Math.fround);

describe.each(Object.entries(functions))('%s', (_name, { emit, of }) => {
  it('is right to 2 · 10⁻⁶ of each value', async () => {
    const { y } = await runCompiled(unary(emit), { x: { shape: [inputs.length], data: inputs } });
    const wrong = [...inputs].flatMap((x, i) => {
      const [got = NaN, expected] = [y?.data[i], Math.fround(of(x))];
      // Numbers below float32's normal range have fewer significant digits, or none.
      const allowed = Math.max(2e-6 * Math.abs(expected), 2 ** -126);
      const isRight = Object.is(got, expected) || got === expected || Math.abs(got - expected) <= allowed;
      return isRight ? [] : [`${x}: expected ${expected}, got ${got}`];
    });
    expect(wrong).toEqual([]);
  });
});
