/** Dense layers whose weights stay 8-bit integers agree with the float64 interpreter on the file's weights. */
import { describe, expect, it } from 'vitest';
import { compile, compileToText } from '../../../training/compile/index.ts';
import { type Graph, graphBuilder } from '../../../training/graph/index.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { range } from '../../reference/ndarray.ts';
import { type Random, seeded } from '../../reference/random.ts';
import { samplesFor } from './network-graph.ts';
import { expectReference, runCompiled } from './run-compiled.ts';
import { expectClose } from '../../reference/close.ts';
import { present } from '../../../training/arrays/index.ts';

const weights = 'int8';

/**
 * Returns `[rows, columns]`, each column of integers times its own scale. Each column's first integer is the largest
 * possible.
 */
function integers(rows: number, columns: number, random: Random): Float32Array {
  const scales = range(columns).map(() => Math.fround((0.1 + random()) / 100));
  return Float32Array.from(range(rows * columns), (i) => {
    const integer = i < columns ? 127 : Math.round(254 * random() - 127);
    return integer * (scales[i % columns] ?? 1);
  });
}

interface Shape {
  readonly inputs: number;
  readonly columns: number;
  /** Rows of one sample: more than one make a product of matrices. */
  readonly rows?: number;
}

function layer({ inputs, columns, rows = 1 }: Shape, seed = 1): Graph {
  const random = seeded(seed);
  const g = graphBuilder();
  const stored = (name: string, shape: readonly number[], data: Float32Array) =>
    g.initializer(name, { dtype: 'float32', shape, data });
  const x = g.input('x', { dtype: 'float32', shape: ['N', ...(rows > 1 ? [rows] : []), inputs] });
  const product = g.MatMul(x, stored('W', [inputs, columns], integers(inputs, columns, random)));
  const bias = Float32Array.from(range(columns), () => random() - 0.5);
  return g.build('layer', { y: g.Relu(g.Add(product, stored('b', [columns], bias))) });
}

/** Builds a product alone, so that the results are not scaled down. */
function linear({ inputs, columns }: Shape): Graph {
  const g = graphBuilder();
  const data = integers(inputs, columns, seeded(9));
  const x = g.input('x', { dtype: 'float32', shape: ['N', inputs] });
  return g.build('linear', {
    y: g.MatMul(x, g.initializer('W', { dtype: 'float32', shape: [inputs, columns], data })),
  });
}

const kinds: Readonly<Record<string, (random: Random, i: number) => number>> = {
  'numbers around zero': (random) => 2 * random() - 1,
  pixels: (random) => Math.floor(256 * random()),
  'zeros and ones': (random) => Math.floor(2 * random()),
  zeros: () => 0,
  'numbers of every size': (random) => (random() - 0.5) * 2 ** Math.floor(20 * random()),
  'numbers near 2^63': (random) => (2 * random() - 1) * 2 ** 63.9,
  'numbers near 2^-63': (random) => (2 * random() - 1) * 2 ** -62.5,
};

/** Each number of a sample is rounded to half a unit of a float32 at the sample's largest, and the sum is exact. */
const within = { ofLargest: 5e-7 };

describe('integers stay what they are', () => {
  it.each(range(40))('in random shapes, number %i', async (seed) => {
    const random = seeded(100 + seed);
    const below = (count: number): number => Math.floor(count * random());
    const shape = { inputs: 1 + below(90), columns: 16 + below(70), rows: random() < 0.3 ? 1 + below(5) : 1 };
    const graph = layer(shape, seed);
    expect(compileToText(graph, { weights })).toContain('of integers');
    await expectReference(graph, samplesFor(graph, 3), { weights, within, fma: seed % 2 === 1 });
  });

  it.each(Object.entries(kinds))('where inputs are %s', async (_kind, draw) => {
    const graph = linear({ inputs: 83, columns: 37 });
    const samples = samplesFor(graph, 4, draw);
    const [got, wanted] = [(await runCompiled(graph, samples, { weights })).y, evaluate(graph, samples).y];
    expectClose('y', got, present(wanted), within);
  });

  it('as far as their sums have room', async () => {
    const graph = linear({ inputs: 8192, columns: 16 });
    expect(compileToText(graph, { weights })).toContain('of integers');
    await expectReference(
      graph,
      samplesFor(graph, 1, () => 1),
      { weights, within },
    );
  });
});

describe('rows without integers of their own are multiplied all the same', () => {
  const graph = linear({ inputs: 19, columns: 22 });
  const normal = samplesFor(graph, 1).x ?? { shape: [], data: new Float64Array() };

  it.each([
    ['∞', Infinity],
    ['−∞', -Infinity],
    ['NaN', NaN],
  ])('where one is %s, without a trace in the next sample', async (_name, special) => {
    const data = Float64Array.from([...normal.data, ...normal.data]);
    data[18] = special;
    const samples = { x: { shape: [2, 19], data } };
    const [got, wanted] = [(await runCompiled(graph, samples, { weights })).y, evaluate(graph, samples).y];
    const alone = (await runCompiled(graph, { x: normal }, { weights })).y;
    expect([...(got?.data.slice(0, 22) ?? [])]).toEqual([...(wanted?.data.slice(0, 22) ?? [])]);
    expect([...(got?.data.slice(22) ?? [])]).toEqual([...(alone?.data ?? [])]);
  });

  it.each([
    ['1e30', 1e30],
    ['1e-30', 1e-30],
    ['denormal', 1e-41],
  ])('where they are about %s', async (_name, size) => {
    const samples = samplesFor(graph, 2, (random) => size * (2 * random() - 1));
    const [got, wanted] = [(await runCompiled(graph, samples, { weights })).y, evaluate(graph, samples).y];
    // Each of the 19 terms may be rounded to the least denormal number.
    expectClose('y', got, present(wanted), { ...within, atol: 19 * 2 ** -149 });
  });
});

describe('a row with numbers far larger than others, for which there are no weights', () => {
  const [inputs, columns] = [64, 20];
  /** The layer does not look at the last `blind` numbers of four, or of eight. */
  const graphOf = (blind: number, every: number) => {
    const g = graphBuilder();
    const drawn = integers(inputs, columns, seeded(9));
    const data = drawn.map((weight, i) => (Math.floor(i / columns) % every >= every - blind ? 0 : weight));
    const x = g.input('x', { dtype: 'float32', shape: ['N', inputs] });
    const W = g.initializer('W', { dtype: 'float32', shape: [inputs, columns], data });
    return g.build('blind', { y: g.MatMul(x, W) });
  };
  const graph = graphOf(1, 4);

  it.each([
    ['half', 4, 8],
    ['seven eighths', 7, 8],
  ])('keeps the others where %s are as large', async (_name, blind, every) => {
    const random = seeded(6);
    const numbers = range(inputs).map((i) => (i % every >= every - blind ? 1e6 * (1 + random()) : random()));
    const samples = { x: { shape: [1, inputs], data: Float64Array.from(numbers, Math.fround) } };
    await expectReference(graphOf(blind, every), samples, { weights, within });
  });

  it.each([
    ['one number of 10⁵', 1e5, 64],
    ['one number of 10⁹', 1e9, 64],
    ['sixteen numbers of 10⁹', 1e9, 4],
  ])('keeps the others: %s', async (_name, large, every) => {
    const random = seeded(6);
    const numbers = range(inputs).map((i) => (i % every === every - 1 ? large : random()));
    const samples = { x: { shape: [1, inputs], data: Float64Array.from(numbers, Math.fround) } };
    await expectReference(graph, samples, { weights, within });
  });

  it('loses no more than 8 bits of weights do where the others are just as large as become integers', async () => {
    const random = seeded(6);
    const numbers = range(inputs).map((i) => (i === 3 ? 2 ** 10 : 1 + random()));
    const samples = { x: { shape: [1, inputs], data: Float64Array.from(numbers, Math.fround) } };
    await expectReference(graph, samples, { weights, within: { ofLargest: 2 ** -9 } });
  });
});

describe('weights become single precision', () => {
  it.each([
    ['of few columns', { inputs: 200, columns: 15 }],
    ['of more rows than a sum has room for', { inputs: 8193, columns: 16 }],
  ])('%s', async (_name, shape) => {
    const graph = linear(shape);
    expect(compileToText(graph, { weights })).not.toContain('of integers');
    await expectReference(graph, samplesFor(graph, 1), { weights });
  });
});

it('integers take a quarter of the memory', async () => {
  const graph = linear({ inputs: 1000, columns: 500 });
  const memoryOf = async (options: Parameters<typeof compile>[1]): Promise<number> => {
    const { wasm } = await compile(graph, options);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm.slice()));
    return (exports['memory'] as WebAssembly.Memory).buffer.byteLength;
  };
  expect(await memoryOf({ weights })).toBeLessThan((await memoryOf({})) / 3.5);
});
