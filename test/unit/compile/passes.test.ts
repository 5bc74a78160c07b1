/** Elementwise chains and sums, compiled to passes over the caller's memory, agree with the float64 interpreter. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CompileError, compilePasses } from '../../../training/compile/index.ts';
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type Value } from '../../../training/graph/index.ts';
import type { TensorSpec } from '../../../training/network/index.ts';
import { type OptimizerName, optimizers } from '../../../training/optimizer/index.ts';
import { averageName, slotName } from '../../../training/trainer/state.ts';
import { stepScalars, type UpdateOptions } from '../../../training/trainer/update-inputs.ts';
import { updateParameters } from '../../../training/trainer/update-parameters.ts';
import { updateAverages } from '../../../training/trainer/update-statistics.ts';
import { expectClose } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { scalar } from '../../reference/ndarray.ts';
import { seeded } from '../../reference/random.ts';
import { openPasses } from './run-passes.ts';

/** The tolerance of float32 after one pass. */
const tolerance = { rtol: 5e-6, ofLargest: 5e-7 };

// Drawn anew for each test, so that its numbers do not depend on the tests before it.
let random = seeded(11);
beforeEach(() => {
  random = seeded(11);
});
const uniform = (shape: readonly number[]) => ({
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.fround(2 * random() - 1)),
});

const float32 = (shape: readonly number[]) => ({ dtype: 'float32', shape }) as const;

function expectReference(graph: Graph, inPlace?: (output: string) => string | undefined): void {
  const feeds = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, uniform(shape.map(Number))]));
  const passes = openPasses(graph, inPlace);
  passes.write(feeds);
  passes.run();
  const expected = evaluate(graph, feeds);
  for (const { name } of graph.outputs) expectClose(name, passes.read(name), expected[name] ?? scalar(NaN), tolerance);
}

const sumOf = (g: GraphBuilder, x: Value): Value =>
  g.ReduceSum(x, g.ints(x.shape.map((_, axis) => axis)), { keepdims: 0 });

describe('passes give what the reference gives', () => {
  it.each([1, 2, 3, 4, 5, 8, 1023, 1024, 1025, 5003])('for %i elements, sums and largest among them', (count) => {
    const g = graphBuilder();
    const [a, b] = [g.input('a', float32([count])), g.input('b', float32([count]))];
    const product = g.Mul(a, b);
    expectReference(
      checkGraph(
        g.build('sums', {
          product,
          sum: sumOf(g, product),
          mean: g.ReduceMean(g.Add(a, b), g.ints([0]), { keepdims: 0 }),
          largest: g.ReduceMax(g.Sub(a, b), g.ints([0]), { keepdims: 0 }),
        }),
      ),
    );
  });

  it('for a number that is made of sums over vectors of different lengths', () => {
    const g = graphBuilder();
    const [a, b] = [g.input('a', float32([3, 5])), g.input('b', float32([130]))];
    const total = g.Add(sumOf(g, g.Mul(a, a)), sumOf(g, g.Mul(b, b)));
    const norm = g.Sqrt(total);
    expectReference(checkGraph(g.build('unit', { norm, a1: g.Div(a, norm), b1: g.Div(b, norm) })));
  });

  it('where outputs take the places of inputs, also of one that a later pass reads', () => {
    const g = graphBuilder();
    const [a, b] = [g.input('a', float32([10])), g.input('b', float32([10]))];
    const a1 = g.Add(a, b);
    const graph = checkGraph(g.build('swap', { a1, b1: g.Mul(a, sumOf(g, a1)) }));
    expectReference(graph, (output) => ({ a1: 'a', b1: 'b' })[output]);
    expectReference(graph, (output) => ({ a1: 'b', b1: 'a' })[output]);
  });

  it('for choices, and for what is copied', () => {
    const g = graphBuilder();
    const [a, b] = [g.input('a', float32([7])), g.input('b', float32([7]))];
    const isLarger = g.Greater(a, b);
    const total = sumOf(g, b);
    expectReference(
      checkGraph(
        g.build('where', { most: g.Where(isLarger, a, b), later: g.Where(isLarger, total, a), same: g.Identity(a) }),
      ),
    );
  });
});

describe('what is no pass is refused by its name', () => {
  it.each<[string, string, (g: GraphBuilder, x: Value) => Value]>([
    ['a product', 'MatMul: is not covered', (g, x) => g.MatMul(x, x)],
    [
      'a sum along one axis',
      'expected all of x to be folded, got axes 1',
      (g, x) => g.ReduceSum(x, g.ints([1]), { keepdims: 0 }),
    ],
    ['a row for all rows', 'expected 4 elements or one, got 2', (g, x) => g.Add(x, g.input('row', float32([2])))],
  ])('%s', (_, message, emit) => {
    const g = graphBuilder();
    const graph = checkGraph(g.build('refused', { y: emit(g, g.input('x', float32([2, 2]))) }));
    const compile = () =>
      compilePasses(graph, {
        addresses: new Map([
          ['x', 1024],
          ['row', 1040],
          ['y', 1056],
        ]),
        scratch: 2048,
      });
    expect(compile).toThrow(CompileError);
    expect(compile).toThrow(message);
  });
});

const specs: readonly TensorSpec[] = [
  { name: 'fc.weight', shape: [37, 3], role: { kind: 'weight', fanIn: 3 } },
  { name: 'bn.weight', shape: [3], role: { kind: 'scale' } },
  { name: 'bn.bias', shape: [3], role: { kind: 'bias' } },
];

type Options = UpdateOptions & { readonly name: string };

const optionsRows: readonly Options[] = (Object.keys(optimizers) as OptimizerName[]).flatMap((name) =>
  [undefined, 0.5].flatMap((clipNorm) =>
    [undefined, 0.1].flatMap((weightDecay) =>
      [undefined, 0.9].map((ema) => ({
        name: [name, clipNorm && 'clipped', weightDecay && 'with decay', ema && 'averaged'].filter(Boolean).join(', '),
        ...{ optimizer: optimizers[name]({ momentum: 0.9 }), clipNorm, weightDecay, ema, bnMomentum: 0.9 },
      })),
    ),
  ),
);

/** Makes an update graph: tensors, slots and averages in, the same out as `next/…`. */
function updateGraph(options: UpdateOptions): Graph {
  const g = graphBuilder();
  const slots = specs.flatMap(({ name, shape }) =>
    options.optimizer.slots.map((slot) => ({ name: slotName(name, slot), shape })),
  );
  const averages =
    options.ema === undefined ? [] : specs.map(({ name, shape }) => ({ name: averageName(name), shape }));
  const input = ({ name, shape }: Pick<TensorSpec, 'name' | 'shape'>) => [name, g.input(name, float32(shape))] as const;
  const state = new Map([...specs, ...slots, ...averages].map(input));
  const gradients = new Map(specs.map(({ name, shape }) => [name, input({ name: `d/${name}`, shape })[1]]));
  const scalars = new Map(Object.keys(stepScalars(options, 1, 1)).map((name) => input({ name, shape: [] })));
  const changed = updateParameters(g, specs, gradients, { state, scalars }, options);
  const after = [
    ...changed,
    ...(options.ema === undefined ? [] : updateAverages(g, specs, changed, { state, scalars })),
  ];
  return checkGraph(g.build('update', Object.fromEntries(after.map(([name, value]) => [`next/${name}`, value]))));
}

describe('steps of an optimizer in place are those of the reference', () => {
  it.each(optionsRows)('$name', (options) => {
    const graph = updateGraph(options);
    const passes = openPasses(graph, (output) => output.slice('next/'.length));
    const isState = (name: string) => graph.outputs.some((output) => output.name === `next/${name}`);
    let state: Arrays = Object.fromEntries(
      graph.inputs
        .filter(({ name }) => isState(name))
        .map(({ name, shape }) => [
          name,
          { shape: shape.map(Number), data: uniform(shape.map(Number)).data.map(Math.abs) },
        ]),
    );
    passes.write(state);
    for (let step = 1; step <= 10; step++) {
      const scalars = Object.entries(stepScalars(options, step, 0.01 / step)).map(
        ([name, value]) => [name, scalar(value)] as const,
      );
      const gradients = specs.map(({ name, shape }) => [`d/${name}`, uniform(shape)] as const);
      const feeds = Object.fromEntries<Arrays[string]>([...scalars, ...gradients]);
      passes.write(feeds);
      passes.run();
      const results = evaluate(graph, { ...state, ...feeds });
      state = Object.fromEntries(Object.keys(state).map((name) => [name, results[`next/${name}`] ?? scalar(NaN)]));
    }
    for (const [name, expected] of Object.entries(state)) expectClose(name, passes.read(name), expected, tolerance);
  });

  it('in one pass for each length, unless gradients are clipped', () => {
    const [plain, clipped] = [undefined, 1].map((clipNorm) => {
      const graph = updateGraph({
        optimizer: optimizers.adam(),
        clipNorm,
        bnMomentum: 0.9,
        ema: 0.9,
        weightDecay: 0.1,
      });
      const names = [...graph.inputs, ...graph.outputs].map(({ name }) => name);
      const addresses = new Map(names.map((name, i) => [name, 1024 + 1024 * i]));
      return compilePasses(graph, { addresses, scratch: 2 ** 20 }).memoryBytes - 2 ** 20;
    });
    // Between passes, memory holds a sum of squares for each tensor, the sum of the largest tensor's only part, and the
    // factor.
    expect([plain, clipped]).toEqual([0, 5 * 16]);
  });
});

it('denormals, which would gather in moments that decay, are written as zeros, and all else as it is', () => {
  const g = graphBuilder();
  const graph = checkGraph(g.build('halves', { y: g.Mul(g.input('x', float32([7])), g.scalar(0.5)) }));
  const passes = openPasses(graph, () => 'x');
  passes.write({
    x: {
      shape: [7],
      data: Float64Array.of(2 ** -126, -(2 ** -126), 2 ** -148, 2 ** -125, -(2 ** -125), NaN, Infinity),
    },
  });
  passes.run();
  expect([...passes.read('y').data]).toEqual([0, 0, 0, 2 ** -126, -(2 ** -126), NaN, Infinity]);
});
