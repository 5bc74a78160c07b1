/** Graphs that are cut at their products agree with the float64 interpreter, which also computes the products. */
import { afterAll, afterEach, describe, expect, it, test, vi } from 'vitest';
import type { BoundSession, NamedTensors } from '../../../training/backend/index.ts';
import { openStaged, stagedProgram } from '../../../training/backend/staged/staged-session.ts';
import { checkGraph, type Graph, graphBuilder, type Tensor } from '../../../training/graph/index.ts';
import { lower } from '../../../training/lowering/index.ts';
import { arrays } from '../../../training/program/index.ts';
import { opCases } from '../../reference/cases/index.ts';
import { expectClose, largestOf, type Tolerance } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { channelBlock } from '../../reference/evaluators/convolution.ts';
import {
  centralDifferences,
  feedsFor as feedsForCase,
  gradientGraph as gradientOf,
} from '../../reference/op-graphs.ts';
import { feedsFor, gradientGraph, network, networks } from '../lowering/step-graphs.ts';

/** The tolerance of one op and its gradient in float32. */
const opTolerance = { rtol: 5e-6, ofLargest: 2e-7 };

const sessions: BoundSession[] = [];
afterAll(() => Promise.all(sessions.map((session) => session.release())));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const zerosLike = (graph: Graph['inputs']): Record<string, Tensor> =>
  Object.fromEntries(
    graph.map(({ name, dtype, shape }) => {
      const count = shape.reduce<number>((product, size) => product * Number(size), 1);
      return [name, { dtype, shape: shape.map(Number), data: new arrays[dtype](count) }];
    }),
  );

const write = ({ dtype, data }: Tensor, numbers: ArrayLike<number>): void => {
  for (let i = 0; i < data.length; i++) data[i] = dtype === 'int64' ? BigInt(numbers[i] ?? 0) : (numbers[i] ?? NaN);
};

const arraysOf = (tensors: NamedTensors): Arrays =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data, Number) }]),
  );

/** Makes a session of the float64 interpreter over the same arrays. */
const interpreted = (graph: Graph, { inputs, outputs }: { inputs: NamedTensors; outputs: NamedTensors }) => {
  checkGraph(graph);
  const run = () => {
    const results = evaluate(graph, arraysOf(inputs));
    for (const [name, tensor] of Object.entries(outputs)) write(tensor, results[name]?.data ?? []);
    return Promise.resolve();
  };
  return Promise.resolve({ run, release: () => Promise.resolve() });
};

const programOf = (graph: Graph, isShared = true) =>
  stagedProgram(lower(graph, 'rows', { channelBlock }), { large: 1, isShared });

/** @returns undefined where there is nothing to compile */
async function open(graph: Graph, threads = 1, isShared = true) {
  const program = programOf(graph, isShared);
  if (!program) return undefined;
  const [inputs, outputs] = [zerosLike(graph.inputs), zerosLike(graph.outputs)];
  const session = await openStaged(program, { inputs, outputs }, threads, interpreted);
  sessions.push(session);
  const run = async (feeds: Arrays) => {
    for (const [name, tensor] of Object.entries(inputs)) write(tensor, feeds[name]?.data ?? []);
    await session.run();
    return arraysOf(outputs);
  };
  return { run, session, kinds: program.stages.map(({ kind }) => kind) };
}

function expectAll(got: Arrays, expected: Arrays, tolerance: Tolerance): void {
  expect(Object.keys(got)).toEqual(Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) expectClose(name, got[name], value, tolerance);
}

/** Builds a network with everything that is compiled, large enough for several rows a thread. */
const everything = network(
  [1, 8, 8],
  ...(networks[1]?.[1].layers.slice(0, 4) ?? []),
  ...(networks[4]?.[1].layers.slice(4, 6) ?? []),
  ...(networks[1]?.[1].layers.slice(8) ?? []),
);

/**
 * Builds a network with matrices between products, which the loss and products on either side read without a
 * transposition.
 */
const matrices = network(
  [1, 2, 5],
  { kind: 'flatten' },
  { kind: 'dense', units: 20 },
  { kind: 'batchNorm', epsilon: 1e-5 },
  { kind: 'relu' },
  { kind: 'dense', units: 16 },
  { kind: 'gelu' },
  { kind: 'dense', units: 16 },
  { kind: 'batchNorm', epsilon: 1e-5 },
  { kind: 'sigmoid' },
  { kind: 'dense', units: 2 },
);

describe.each([3, 8])('a network cut at its products, for mini-batches of %i', (samples) => {
  it.each([...networks, ['dense layers', matrices] as const])(
    'gives the same loss, gradients and statistics: %s',
    async (_, described) => {
      const graph = gradientGraph(described, samples);
      const feeds = feedsFor(graph);
      const staged = await open(graph);
      if (!staged) throw new Error('expected something between the products');
      const [got, expected] = [await staged.run(feeds), evaluate(graph, feeds)];
      // Some gradients are small differences of numbers as large as the largest of all.
      const largest = Math.max(...Object.values(expected).map(({ data }) => largestOf(data)));
      expectAll(got, expected, { rtol: 5e-6, atol: 4e-7 * largest });
    },
  );
});

describe('what is compiled of an op and its gradient is within a float32 of float64', () => {
  const compiled = opCases.filter((row) => row.forwardOnly === undefined && programOf(gradientOf(row)));

  test('for these ops', () => {
    expect([...new Set(compiled.map(({ op }) => op))].sort()).toMatchInlineSnapshot(`
      [
        "Add",
        "BatchNormalization",
        "Clip",
        "Div",
        "Erf",
        "Exp",
        "Expand",
        "Gemm",
        "LayerNormalization",
        "LeakyRelu",
        "Log",
        "Mul",
        "Neg",
        "ReduceMean",
        "Relu",
        "Sigmoid",
        "Softmax",
        "SoftmaxCrossEntropyLoss",
        "Softplus",
        "Sqrt",
        "Sub",
        "Tanh",
        "Where",
      ]
    `);
  });

  test.each(compiled)('$name', async (row) => {
    const graph = gradientOf(row);
    const feeds = feedsForCase(row, graph);
    const staged = await open(graph);
    if (!staged) throw new Error('expected something to compile');
    expectAll(await staged.run(feeds), evaluate(graph, feeds), opTolerance);
  });
});

describe('a graph that is cut', () => {
  it('has products in sessions, and rows between them', async () => {
    const staged = await open(gradientGraph(everything, 8));
    expect(staged?.kinds.filter((kind) => kind === 'rows').length).toBeGreaterThan(3);
    expect(staged?.kinds.filter((kind) => kind === 'session').length).toBeGreaterThan(3);
  });

  it('has the gradients that finite differences of the loss are', async () => {
    const graph = gradientGraph(everything, 8);
    const feeds = feedsFor(graph);
    const got = await (await open(graph))?.run(feeds);
    for (const name of ['conv1.weight', 'bn1.weight', 'bn1.bias'])
      expectClose(name, got?.[`d ${name}`], centralDifferences(graph, feeds, name), { rtol: 2e-5, ofLargest: 1e-6 });
  });

  it('gives the same bits on one thread and on several, whoever computes which rows', async () => {
    const graph = gradientGraph(everything, 8);
    const feeds = feedsFor(graph);
    const [alone, together] = [await open(graph), await open(graph, 3)];
    const expected = await alone?.run(feeds);
    for (let run = 0; run < 20; run++) expect(await together?.run(feeds)).toEqual(expected);
  });

  it('gives the same bits over a memory that no threads share, for runtimes that take no other', async () => {
    const graph = gradientGraph(everything, 8);
    const feeds = feedsFor(graph);
    const [shared, unshared] = [await open(graph), await open(graph, 3, false)];
    expect(await unshared?.run(feeds)).toEqual(await shared?.run(feeds));
  });

  it('gives the same bits on an engine whose threads share no memory', async () => {
    const graph = gradientGraph(everything, 8);
    const feeds = feedsFor(graph);
    const expected = await (await open(graph))?.run(feeds);
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(await (await open(graph, 3, false))?.run(feeds)).toEqual(expected);
  });

  it('is not cut where the tensors between products take more than addresses of 32 bits reach', () => {
    const scaled = (columns: number) => {
      const g = graphBuilder();
      const x = g.input('x', { dtype: 'float32', shape: [16, columns] });
      const y = g.Mul(x, g.scalar(2));
      return stagedProgram(checkGraph(g.build('scaled', { y: g.Add(y, g.Relu(x)) })));
    };
    expect(scaled(2 ** 24)).toBeDefined();
    expect(scaled(2 ** 25)).toBeUndefined();
  });

  it('tells a machine without memory for it how much it takes', async () => {
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () {
      throw new RangeError('WebAssembly.Memory(): could not allocate memory');
    });
    await expect(open(gradientGraph(everything, 8))).rejects.toThrow(
      /^training: expected \d+ MB of memory for a step \(a smaller --batch-size takes less\), got less$/,
    );
  });

  it('goes on with one thread when the others end in the middle', async () => {
    const graph = gradientGraph(everything, 8);
    const feeds = feedsFor(graph);
    const staged = await open(graph, 3);
    const expected = await staged?.run(feeds);
    const ended = staged?.session.release();
    for (let run = 0; run < 3; run++) expect(await staged?.run(feeds)).toEqual(expected);
    await ended;
    expect(await staged?.run(feeds)).toEqual(expected);
  });

  it('is not cut where nothing between products is large', () => {
    const graph = lower(gradientGraph(everything, 8), 'rows', { channelBlock });
    expect(stagedProgram(graph)).toBeUndefined();
  });

  it('has the samples of matrices along the rows, and nothing transposed for it', () => {
    const { nodes } = lower(gradientGraph(matrices, 8), 'rows');
    expect(nodes.filter(({ op }) => op === 'Transpose')).toEqual([]);
    const shapes = nodes.flatMap(({ op, outputs: [{ shape }] }) => (op === 'Gemm' ? [shape.join()] : []));
    // The shapes of the forward products, the backward ones, and the gradients of the weights, which have the weights'
    // layout.
    expect(shapes).toEqual(['20,8', '16,8', '16,8', '8,2', '16,8', '2,16', '16,8', '16,16', '20,8', '16,20', '20,10']);
    const untouched = lower(gradientGraph(matrices, 8), 'rows', { rowElements: 1000 });
    expect(untouched.nodes.find(({ op }) => op === 'Gemm')?.outputs[0].shape).toEqual([8, 20]);
  });

  it('draws random numbers of 32 bits as the graph says', async () => {
    const g = graphBuilder();
    const count = 1 << 14;
    const seed = g.input('seed', { dtype: 'uint32', shape: [] });
    const data = Uint32Array.from({ length: count }, (_, i) => i);
    const element = g.initializer('elements', { dtype: 'uint32', shape: [count], data });
    const mixed = g.Mul(g.Add(element, seed), g.scalar(0x9e3779b1, 'uint32'));
    const swapped = g.Add(g.Mul(mixed, g.scalar(2 ** 16, 'uint32')), g.Div(mixed, g.scalar(2 ** 16, 'uint32')));
    const upper = g.Cast(g.Div(swapped, g.scalar(2 ** 8, 'uint32')), { to: 'float32' });
    const graph = checkGraph(g.build('random', { numbers: g.Mul(upper, g.scalar(2 ** -24)) }));
    const expected = Float64Array.from(data, (i) => {
      const product = Math.imul(i + 4_000_000_000, 0x9e3779b1);
      return (((product << 16) | (product >>> 16)) >>> 8) * 2 ** -24;
    });
    const got = await (await open(graph))?.run({ seed: { shape: [], data: Float64Array.of(4_000_000_000) } });
    expect(got?.['numbers']?.data).toEqual(expected);
  });
});
