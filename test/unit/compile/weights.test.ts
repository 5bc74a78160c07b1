/** Kernels compute with exactly the weights that a module stores as halfs or 8-bit integers. */
import { beforeEach, describe, expect, it } from 'vitest';
import { compile, compileToText } from '../../../training/compile/index.ts';
import { fromHalves, toHalves } from '../../../training/files/index.ts';
import { type Graph, graphBuilder, type Tensor } from '../../../training/graph/index.ts';
import { batchNorm, dense, relu } from '../../../training/network/index.ts';
import { expectClose } from '../../reference/close.ts';
import { range, sizeOf } from '../../reference/ndarray.ts';
import { seeded } from '../../reference/random.ts';
import { networkGraph, samplesFor } from './network-graph.ts';
import { expectReference, runCompiled } from './run-compiled.ts';

// Drawn anew for each test, so that its numbers do not depend on the tests before it.
let random = seeded(5);
beforeEach(() => {
  random = seeded(5);
});

/** Numbers that each type represents exactly. In 8 bits, 127 is the largest of each output, which is the first axis. */
const exact = {
  float16: (shape: readonly number[]) =>
    fromHalves(toHalves(Float32Array.from(range(sizeOf(shape)), () => 2 * random() - 1))),
  int8: (shape: readonly number[]) => {
    const perOutput = sizeOf(shape.slice(1));
    const scales = range(shape[0] ?? 0).map(() => Math.fround(random() / 100));
    return Float32Array.from(range(sizeOf(shape)), (i) => {
      const integer = i % perOutput === 0 ? 127 : Math.round(254 * random() - 127);
      return integer * (scales[Math.floor(i / perOutput)] ?? 1);
    });
  },
} as const;

type Type = keyof typeof exact;

function denseGraph(type: Type, inputs = 37): Graph {
  const g = graphBuilder();
  const tensor = (...shape: readonly number[]): Tensor => ({ dtype: 'float32', shape, data: exact[type](shape) });
  const x = g.input('x', { dtype: 'float32', shape: ['N', inputs] });
  const hidden = g.Relu(g.Gemm(x, g.initializer('a', tensor(70, inputs)), undefined, { transB: 1 }));
  return g.build('dense', { y: g.Gemm(hidden, g.initializer('b', tensor(5, 70)), undefined, { transB: 1 }) });
}

const convGraph = (type: Type, channels: number, outputs: number, group: number): Graph => {
  const g = graphBuilder();
  const shape = [outputs, channels / group, 3, 3];
  const W = g.initializer('W', { dtype: 'float32', shape, data: exact[type](shape) });
  const x = g.input('x', { dtype: 'float32', shape: ['N', channels, 6, 5] });
  const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group };
  return g.build('conv', { y: g.Conv(x, W, undefined, window) });
};

const graphs: Readonly<Record<string, (type: Type) => Graph>> = {
  'dense layers': denseGraph,
  convolutions: (type) => convGraph(type, 6, 22, 1),
  'convolutions in groups': (type) => convGraph(type, 8, 16, 2),
  'depthwise convolutions': (type) => convGraph(type, 7, 7, 7),
  'convolutions in small groups': (type) => convGraph(type, 6, 4, 2),
};

describe.each(['float16', 'int8'] as const)('%s', (weights) => {
  it.each(Object.entries(graphs))('holds the weights of %s that it can hold', async (_name, make) => {
    const graph = make(weights);
    const samples = samplesFor(graph, 2);
    const [less, whole] = [await runCompiled(graph, samples, { weights }), await runCompiled(graph, samples)];
    if (!less.y || !whole.y) throw new Error('expected answers');
    // The scale is the largest weight divided by 127, which rounds once more.
    expectClose('y', less.y, whole.y, weights === 'int8' ? { rtol: 2e-7, ofLargest: 8e-7 } : {});
  });

  it('makes the module as much smaller', async () => {
    const graph = denseGraph(weights, 370);
    const [whole, less] = [await compile(graph), await compile(graph, { weights })];
    const numbers = 370 * 72 + 70 * 8;
    expect(whole.wasm.length - less.wasm.length).toBeGreaterThan(numbers * (weights === 'int8' ? 2.5 : 1.6));
  });

  it('leaves weights alone that it does not hold', async () => {
    const graph = networkGraph({ inputShape: [20], layers: [dense(9), batchNorm(), relu()] });
    await expectReference(graph, samplesFor(graph, 3), { weights });
    expect(compileToText(graph, { weights })).not.toContain('(start $start)');
  });
});

it.each(['float16', 'int8'] as const)('Batch Norm behind it leaves weights of %s what they are', async (weights) => {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 20] });
  const stored = (name: string, shape: readonly number[], data: Float32Array) =>
    g.initializer(name, { dtype: 'float32', shape, data });
  const z = g.Gemm(x, stored('W', [9, 20], exact[weights]([9, 20])), undefined, { transB: 1 });
  const parameter = (name: string) =>
    stored(
      name,
      [9],
      Float32Array.from(range(9), () => 0.5 + random()),
    );
  const [scale, B, mean, variance] = [parameter('γ'), parameter('β'), parameter('μ'), parameter('σ²')];
  const [y] = g.BatchNormalization(z, scale, B, mean, variance, { epsilon: 1e-5, momentum: 0.9, training_mode: 0 });
  const graph = g.build('normalized', { y });
  expect(compileToText(graph, { weights })).toContain('(start $start)');
  await expectReference(graph, samplesFor(graph, 3), { weights });
});

describe('halfs', () => {
  const powers = range(60).map((i) => 2 ** (i - 40));
  const values = Float32Array.from([
    ...[
      0,
      -0,
      65_504,
      65_519,
      65_520,
      1e6,
      -1e6,
      NaN,
      Infinity,
      2 ** -25,
      3 * 2 ** -25,
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
    ],
    ...powers.flatMap((power) => range(50).map(() => power * (2 * random() - 1))),
  ]);

  it('are the nearest, of two the even one, as the engine has them', () => {
    const { Float16Array } = globalThis as { Float16Array?: new (values: Float32Array) => { buffer: ArrayBuffer } };
    if (!Float16Array) return;
    const expected = new Uint16Array(new Float16Array(values).buffer);
    expect([...toHalves(values)]).toEqual([...expected]);
  });

  it('come back as they went', () => {
    const halves = Uint16Array.from(range(0x7c01), (i) => i);
    expect([...toHalves(fromHalves(halves))]).toEqual([...halves]);
  });
});
