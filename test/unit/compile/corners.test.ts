/** Graphs at the edges of what is covered are right or refused; near misses never compile to something wrong. */
import { describe, expect, it } from 'vitest';
import { compile, CompileError } from '../../../training/compile/index.ts';
import {
  decodeAnyModel,
  type Graph,
  graphBuilder,
  type GraphBuilder,
  type Value,
} from '../../../training/graph/index.ts';
import { start } from '../../../training/program/index.ts';
import { range } from '../../reference/ndarray.ts';
import { FLOAT, model, node, port } from '../../ort/onnx-build.ts';
import { samplesFor } from './network-graph.ts';
import { expectReference, runCompiled } from './run-compiled.ts';

type Outputs = Readonly<Record<string, Value>>;

const floats = (g: GraphBuilder, shape: readonly number[], numbers: readonly number[]): Value =>
  g.initializer('stored', { dtype: 'float32', shape, data: Float32Array.from(numbers) });

function graphOf(emit: (g: GraphBuilder) => Outputs): Graph {
  const g = graphBuilder();
  return g.build('corner', emit(g));
}

const x = (g: GraphBuilder, ...shape: readonly (number | string)[]): Value => g.input('x', { dtype: 'float32', shape });

const right: Readonly<Record<string, (g: GraphBuilder) => Outputs>> = {
  'an output that is stored': (g) => ({ y: g.Neg(x(g, 'N', 3)), z: floats(g, [2, 2], [1, 2, 3, 4]) }),
  'an output that is an input, and one that is its negative': (g) => {
    const input = x(g, 'N', 3);
    return { y: input, z: g.Neg(input) };
  },
  'one value as two outputs': (g) => {
    const y = g.Relu(x(g, 'N', 5));
    return { y, z: y };
  },
  'an output within a chain': (g) => {
    const y = g.Relu(x(g, 'N', 5));
    return { y, z: g.Tanh(g.Neg(y)) };
  },
  'an input that nobody reads': (g) => {
    g.input('unread', { dtype: 'float32', shape: ['N', 2] });
    return { y: g.Neg(x(g, 'N', 3)) };
  },
  'a number alone, without a batch': (g) => ({ y: g.Add(x(g), g.scalar(1)) }),
  'one number for each sample': (g) => ({ y: g.Mul(x(g, 'N'), g.scalar(3)) }),
  'a second input that all samples share': (g) => {
    const shared = g.input('shared', { dtype: 'float32', shape: [5] });
    return { y: g.Add(x(g, 'N', 5), shared), z: g.Neg(shared) };
  },
  'rows that look like a batch until they become columns': (g) => ({ y: g.Expand(x(g, 2), g.ints([2, 2])) }),
  'a square whose rows are turned': (g) => ({ y: g.Transpose(x(g, 3, 3), { perm: [1, 0] }) }),
  'sums over what looks like a batch': (g) => ({ y: g.ReduceSum(x(g, 3, 4), g.ints([0]), { keepdims: 1 }) }),
  'a size of one in the place of the batch': (g) => ({ y: g.ReduceMean(x(g, 1, 4), g.ints([0]), { keepdims: 0 }) }),
  'broadcasts along every other axis': (g) => ({
    y: g.Mul(g.Add(x(g, 'N', 3, 1, 5), floats(g, [2, 1], [1, 2])), floats(g, [1, 3, 1, 1], [3, 4, 5])),
  }),
  'a broadcast from behind': (g) => ({ y: g.Sub(floats(g, [4], [1, 2, 3, 4]), x(g, 'N', 3, 1)) }),
};

describe('is right:', () => {
  it.each(Object.entries(right))('%s', async (_name, emit) => {
    const graph = graphOf(emit);
    for (const batch of [1, 2, 17]) await expectReference(graph, samplesFor(graph, batch));
  });

  it('a thousand samples', async () => {
    const graph = graphOf((g) => ({ y: g.Softmax(g.Exp(x(g, 'N', 7)), { axis: 1 }) }));
    await expectReference(graph, samplesFor(graph, 1000));
  });

  it('no sample: what is the same for all is answered all the same', async () => {
    const graph = graphOf((g) => {
      const shared = g.input('shared', { dtype: 'float32', shape: [2] });
      return { y: g.Add(x(g, 'N', 2), shared), z: g.Neg(shared) };
    });
    const program = await compile(graph);
    const run = start(new WebAssembly.Module(program.wasm.slice()), program);
    const answers = run({ x: new Float32Array(), shared: Float32Array.of(3, 4) }, 0);
    expect({ y: [...(answers.y ?? [])], z: [...(answers.z ?? [])] }).toEqual({ y: [], z: [-3, -4] });
  });

  it('booleans that are other numbers than 0 and 1', async () => {
    const graph = graphOf((g) => ({
      y: g.Where(g.input('x', { dtype: 'bool', shape: ['N', 3] }), g.scalar(1), g.scalar(2)),
    }));
    const { y } = await runCompiled(graph, { x: { shape: [1, 3], data: Float64Array.of(0, 255, 2) } });
    expect([...(y?.data ?? [])]).toEqual([2, 1, 1]);
  });

  it('what is no number and what is denormal, through sums, maxima and products', async () => {
    const graph = graphOf((g) => {
      const input = x(g, 'N', 6);
      return {
        y: g.Add(g.Max(input, g.scalar(0)), g.Mul(input, g.scalar(0.5))),
        z: g.Where(g.IsNaN(input), g.scalar(7), input),
      };
    });
    const data = Float64Array.of(NaN, Infinity, -Infinity, 1e-40, -1e-45, 3e38).map(Math.fround);
    const { y, z } = await runCompiled(graph, { x: { shape: [1, 6], data } });
    expect([...(y?.data ?? [])].map(Math.fround)).toEqual(
      [NaN, Infinity, -Infinity, Math.fround(1e-40) + Math.fround(1e-40) / 2, 0, Infinity].map(Math.fround),
    );
    expect([...(z?.data ?? [])]).toEqual([7, ...data.slice(1)]);
  });
});

const refused: Readonly<Record<string, readonly [(g: GraphBuilder) => Outputs, string]>> = {
  'an integer of more than 32 bits beside inputs': [
    (g) => ({
      y: g.Equal(
        g.input('x', { dtype: 'int64', shape: ['N', 2] }),
        g.initializer('large', { dtype: 'int64', shape: [], data: BigInt64Array.of(2n ** 32n) }),
      ),
    }),
    'large: expected integers of 32 bits, got 4294967296',
  ],
  'one that is moved': [
    (g) => ({
      y: g.Gather(
        g.initializer('large', { dtype: 'int64', shape: [2], data: BigInt64Array.of(1n, -(2n ** 40n)) }),
        g.input('x', { dtype: 'int64', shape: ['N'] }),
        { axis: 0 },
      ),
    }),
    'large: expected integers of 32 bits, got -1099511627776',
  ],
  'several images that are no batch': [
    (g) => {
      const turned = g.Transpose(x(g, 1, 2, 3, 3), { perm: [1, 0, 2, 3] });
      const W = floats(g, [1, 1, 1, 1], [2]);
      const window = { kernel_shape: [1, 1], strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 };
      return { y: g.ConvTranspose(turned, W, undefined, { ...window, output_padding: [0, 0] }) };
    },
    'ConvTranspose: expected one image [1, C, H, W], got [2, 1, 3, 3]',
  ],
  'sums of int64': [
    (g) => {
      const input = g.input('x', { dtype: 'int64', shape: ['N', 2] });
      return { y: g.Add(input, input) };
    },
    'Add: expected float32 or int32, got int64',
  ],
  'an empty tensor': [
    (g) => ({ y: g.Neg(x(g, 'N', 0)) }),
    'Neg: expected tensors that have elements, got an empty one',
  ],
  'sums over the batch': [
    (g) => ({ y: g.ReduceSum(x(g, 'N', 3), g.ints([0]), { keepdims: 1 }) }),
    'ReduceSum: expected each sample to be answered by itself',
  ],
  'a softmax over the batch': [
    (g) => ({ y: g.Softmax(x(g, 'N'), { axis: -1 }) }),
    'Softmax: expected each sample to be answered by itself',
  ],
  'a batch that is turned to the back': [
    (g) => ({ y: g.Transpose(x(g, 'N', 3), { perm: [1, 0] }) }),
    'Transpose: expected each sample to be answered by itself',
  ],
  'two free dimensions': [(g) => ({ y: g.Neg(x(g, 'N', 'M')) }), 'expected one free dimension, the batch, got N, M'],
  'a free dimension that is not the first': [
    (g) => ({ y: g.Neg(x(g, 3, 'N')) }),
    'x: expected N as the first dimension, got [3, N]',
  ],
  'a product of samples with each other': [
    (g) => {
      const input = x(g, 'N', 3);
      return { y: g.MatMul(g.Transpose(input, { perm: [1, 0] }), input) };
    },
    'expected each sample to be answered by itself',
  ],
};

describe('is refused:', () => {
  it.each(Object.entries(refused))('%s', async (_name, [emit, message]) => {
    const refusal: unknown = await compile(graphOf(emit)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CompileError);
    expect(String(refusal)).toContain(message);
  });
});

describe('files', () => {
  const relu = [node('Relu', ['x'], ['y'])];
  const output = [port('y')];

  it('of a rank that is not said are refused', () => {
    const file = model({ node: relu, input: [port('x')], output });
    expect(() => decodeAnyModel(file)).toThrow('x: expected a tensor whose number of dimensions the file says');
  });

  it('whose batch has no name have one all the same', async () => {
    const input = { name: 'x', type: { tensorType: { elemType: FLOAT, shape: { dim: [{}, { dimValue: 3 }] } } } };
    const { graph } = decodeAnyModel(model({ node: relu, input: [input], output }));
    await expectReference(graph, samplesFor(graph, 4));
  });

  it('whose nodes have no names, or all the same one', async () => {
    const three = (name: string) =>
      range(3).map((i) => ({
        ...node('Min', [i === 0 ? 'x' : `v${i - 1}`, 'a', 'b'], [i === 2 ? 'y' : `v${i}`]),
        name,
      }));
    const initializer = [
      { name: 'a', dataType: FLOAT, dims: [1], rawData: new Uint8Array(Float32Array.of(0.5).buffer) },
      { name: 'b', dataType: FLOAT, dims: [1], rawData: new Uint8Array(Float32Array.of(-0.25).buffer) },
    ];
    for (const name of ['', 'same']) {
      const { graph } = decodeAnyModel(model({ node: three(name), input: [port('x', ['N', 5])], output, initializer }));
      await expectReference(graph, samplesFor(graph, 3));
    }
  });
});

it('a transposed convolution of which its padding leaves nothing is no graph', () => {
  const g = graphBuilder();
  const W = floats(g, [1, 1, 3, 1], [1, 2, 3]);
  const window = { kernel_shape: [3, 1], strides: [1, 1], pads: [2, 0, 2, 0], dilations: [1, 1], group: 1 };
  expect(() => g.ConvTranspose(x(g, 'N', 1, 1, 1), W, undefined, { ...window, output_padding: [0, 0] })).toThrow(
    'expected pads that leave a pixel, got [2, 0, 2, 0]',
  );
});

describe('a program', () => {
  it.each<[string, Readonly<Record<string, Float32Array>>, string]>([
    ['without a feed', {}, 'got none'],
    ['with a feed that is too short', { x: new Float32Array(5) }, 'got 5'],
    ['with a feed that is too long', { x: new Float32Array(7) }, 'got 7'],
  ])('%s refuses to run', async (_, feeds, got) => {
    const program = await compile(graphOf((g) => ({ y: g.Relu(x(g, 'N', 3)) })));
    const run = start(new WebAssembly.Module(program.wasm.slice()), program);
    expect(() => run(feeds, 2)).toThrow(`internal: x: expected 6 numbers, ${got}`);
  });
});
