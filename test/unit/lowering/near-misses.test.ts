/**
 * Each pass replaces what it should and leaves near misses alone, one graph a row; in both cases the float64
 * interpreter finds the same numbers.
 */
import { describe, expect, it } from 'vitest';
import {
  type Attributes,
  graphBuilder,
  type GraphBuilder,
  type TensorType,
  type Value,
  sizeOf,
} from '../../../training/graph/index.ts';
import { lowerBy } from '../../../training/lowering/index.ts';
import { type Passes, passesOf } from '../../../training/lowering/passes.ts';
import { expectClose } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import { channelBlock } from '../../reference/evaluators/convolution.ts';
import { seeded } from '../../reference/random.ts';

/** The tolerance for constants that a pass stores as float32: 0.9 is off by 2.5e-8. */
const tolerance = { rtol: 1e-7 };

const passes: Passes = {
  ...passesOf('compiled'),
  ...passesOf('webgpu'),
  ...passesOf('native', { channelBlock }),
  ...passesOf('rows', { channelBlock }),
};

type Emit = (g: Inputs) => Readonly<Record<string, Value>> | Value;
type Inputs = GraphBuilder & { readonly give: (name: string, ...shape: readonly number[]) => Value };
/** A graph, and the number of its nodes that the pass replaces. */
type Row = readonly [about: string, emit: Emit, count: number];

const window = (size: number, more: Partial<Attributes<'Conv'>> = {}): Attributes<'Conv'> => ({
  kernel_shape: [size, size],
  strides: [1, 1],
  pads: [0, 0, 0, 0],
  dilations: [1, 1],
  group: 1,
  ...more,
});
const pooling = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };
const swap = { perm: [1, 0, 2, 3] };
const training = { epsilon: 1e-5, momentum: 0, training_mode: 1 } as const;

const vectors = (g: Inputs, channels: number) =>
  ['scale', 'B', 'mean', 'var'].map((name) => g.give(name, channels)) as [Value, Value, Value, Value];

const batchNorm = (g: Inputs, z: Value, more: Partial<Attributes<'BatchNormalization'>> = {}) =>
  g.BatchNormalization(z, ...vectors(g, Number(z.shape[1])), { ...training, ...more });

/** Builds ẑ of an image of 3 channels. @returns ẑ and the values that it is computed from */
function normalized(g: Inputs, { statisticsOf = 'z', wide = [-1, 1, 1] } = {}) {
  const z = g.give('z', 4, 3, 2, 3);
  const [, mean, variance] = batchNorm(g, statisticsOf === 'z' ? z : g.give(statisticsOf, 4, 3, 2, 3));
  const perChannel = (value: Value) => g.Reshape(value, g.ints(wide));
  const deviation = g.Sqrt(g.Add(variance, g.scalar(0.1)));
  return {
    z,
    dY: g.give('dY', 4, 3, 2, 3),
    perChannel,
    deviation,
    zHat: g.Div(g.Sub(z, perChannel(mean)), perChannel(deviation)),
  };
}

/** Builds γ/s · (dz̃ − dβ/m − ẑ · dγ/m). */
function inputGradient(
  g: Inputs,
  { isSwapped = false, inner = 'Sub' }: { isSwapped?: boolean; inner?: 'Sub' | 'Add' } = {},
) {
  const { zHat, dY, perChannel } = normalized(g);
  const [gain, dB, dScale] = vectors(g, 3).slice(0, 3).map(perChannel) as [Value, Value, Value];
  const projection = isSwapped ? g.Mul(dScale, zHat) : g.Mul(zHat, dScale);
  const difference = g.Sub(g[inner](dY, dB), projection);
  return isSwapped ? g.Mul(difference, gain) : g.Mul(gain, difference);
}

/** Builds dX of max pooling: dY at the largest element of each window. */
function routing(g: Inputs, X: Value, { base = 0, more = {} } = {}) {
  const [Y, Indices] = g.MaxPool(X, { ...pooling, ...more });
  const dY = g.Reshape(g.give('dY', ...Y.shape.map(Number)), g.ints([-1]));
  const onto = g.Expand(g.scalar(base), g.ints([sizeOf(X.shape)]));
  const scattered = g.ScatterElements(onto, g.Reshape(Indices, g.ints([-1])), dY, { axis: 0, reduction: 'add' });
  return { Y, routed: g.Reshape(scattered, g.ints(X.shape.map(Number))) };
}

const positive = (g: Inputs, Y: Value, than = 0) => g.Cast(g.Greater(Y, g.scalar(than)), { to: 'float32' });

/** Builds dW of a convolution of X `[3, 2, 5, 5]` with filters of 2 × 2. */
function weightGradient(g: Inputs, { steps = 1, bias = false, from = 0 } = {}) {
  const dY = g.Transpose(g.give('dY', 3, 4, 4, 4), swap);
  const X = g.Transpose(g.give('X', 3, 2, 5, 5), swap);
  const taps = g.Conv(X, dY, bias ? g.give('bias', 4) : undefined, window(4));
  const cut = g.Slice(taps, g.ints([from, from]), g.ints([2, 2]), g.ints([2, 3]), g.ints([steps, steps]));
  return g.Transpose(cut, swap);
}

interface BlockOptions {
  readonly conv?: Partial<Attributes<'Conv'>>;
  readonly bias?: boolean;
  readonly bn?: Partial<Attributes<'BatchNormalization'>>;
  readonly pool?: Partial<Attributes<'MaxPool'>>;
  readonly activation?: 'Relu' | 'Tanh';
}

function block(g: Inputs, { conv, bias, bn, pool, activation = 'Relu' }: BlockOptions = {}) {
  const W = g.give('W', 3, 2 / (conv?.group ?? 1), 3, 3);
  const z = g.Conv(
    g.give('X', 4, 2, 6, 6),
    W,
    bias ? g.give('bias', 3) : undefined,
    window(3, { pads: [1, 1, 1, 1], ...conv }),
  );
  const [y, mean, variance] = batchNorm(g, z, bn);
  const [Y] = g.MaxPool(g[activation](y), { ...pooling, ...pool });
  return { Y, mean, variance };
}

const dense = (g: Inputs, x: Value, units: number, name: string) =>
  g.Gemm(x, g.give(name, units, Number(x.shape[1])), undefined, { transB: 1 });

const rows: Readonly<Record<string, readonly Row[]>> = {
  pooledConv: [
    ['convolution, Batch Norm, ReLU and pooling', (g) => block(g), 2],
    ['a bias', (g) => block(g, { bias: true }), 0],
    ['strides', (g) => block(g, { conv: { strides: [2, 2] }, pool: { kernel_shape: [1, 1], strides: [1, 1] } }), 0],
    ['pooling that overlaps', (g) => block(g, { pool: { strides: [1, 1] } }), 0],
    ['fixed statistics', (g) => block(g, { bn: { training_mode: 0 } }), 0],
    ['running statistics', (g) => block(g, { bn: { momentum: 0.9 } }), 0],
    ['another activation', (g) => block(g, { activation: 'Tanh' }), 0],
  ],
  reluAfterPool: [
    ['ReLU before pooling', (g) => g.MaxPool(g.Relu(g.give('x', 1, 2, 4, 4)), pooling)[0], 1],
    ['another activation', (g) => g.MaxPool(g.LeakyRelu(g.give('x', 1, 2, 4, 4), { alpha: 0.1 }), pooling)[0], 0],
    [
      'and its gradient',
      (g) => {
        const y = g.Relu(g.give('x', 1, 2, 4, 4));
        const { Y, routed } = routing(g, y);
        return { Y, dX: g.Mul(positive(g, y), routed) };
      },
      2,
    ],
    [
      'a mask of another ReLU',
      (g) => {
        const { Y, routed } = routing(g, g.Relu(g.give('x', 1, 2, 4, 4)));
        return { Y, dX: g.Mul(routed, positive(g, g.Relu(g.give('other', 1, 2, 4, 4)))) };
      },
      1,
    ],
  ],
  reluGradient: [
    ['dY · 1[Y > 0]', (g) => g.Mul(g.give('dY', 3, 4), positive(g, g.give('Y', 3, 4))), 1],
    ['1[Y > 0] · dY', (g) => g.Mul(positive(g, g.give('Y', 3, 4)), g.give('dY', 3, 4)), 1],
    ['1[Y > 0.5]', (g) => g.Mul(g.give('dY', 3, 4), positive(g, g.give('Y', 3, 4), 0.5)), 0],
    [
      '1[0 > Y]',
      (g) => g.Mul(g.give('dY', 3, 4), g.Cast(g.Greater(g.scalar(0), g.give('Y', 3, 4)), { to: 'float32' })),
      0,
    ],
    ['a sum', (g) => g.Add(g.give('dY', 3, 4), positive(g, g.give('Y', 3, 4))), 0],
  ],
  maxPoolGradient: [
    ['windows of two', (g) => routing(g, g.give('X', 2, 3, 4, 6)).routed, 1],
    ['onto ones', (g) => routing(g, g.give('X', 2, 3, 4, 6), { base: 1 }).routed, 0],
    ['an odd side', (g) => routing(g, g.give('X', 2, 3, 5, 6)).routed, 0],
    ['windows that overlap', (g) => routing(g, g.give('X', 2, 3, 4, 6), { more: { strides: [1, 1] } }).routed, 0],
  ],
  maxPoolGradientWindows: [
    ['windows that overlap', (g) => routing(g, g.give('X', 2, 3, 4, 6), { more: { strides: [1, 1] } }).routed, 1],
    ['onto ones', (g) => routing(g, g.give('X', 2, 3, 4, 6), { base: 1 }).routed, 0],
    ['in another shape', (g) => g.Reshape(routing(g, g.give('X', 2, 3, 4, 6)).routed, g.ints([-1])), 1],
  ],
  batchNormGradient: [
    ['dγ', (g) => scaleGradient(g), 1],
    ['dγ, factors in the other order', (g) => scaleGradient(g, { isSwapped: true }), 1],
    ['a sum over pixels alone', (g) => scaleGradient(g, { axes: [2, 3] }), 0],
    ['a sum that keeps its axes', (g) => scaleGradient(g, { keepdims: 1 }), 0],
    ['statistics of another image', (g) => scaleGradient(g, { statisticsOf: 'other' }), 0],
    ['statistics along rows', (g) => scaleGradient(g, { wide: [1, -1] }), 0],
    ['dz', (g) => inputGradient(g), 1],
    ['dz, factors in the other order', (g) => inputGradient(g, { isSwapped: true }), 1],
    ['a sum in its place', (g) => inputGradient(g, { inner: 'Add' }), 0],
  ],
  denseBatchNorm: [
    ['a matrix', (g) => batchNorm(g, g.give('z', 5, 3))[0], 1],
    ['an image', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2))[0], 0],
    ['running statistics', (g) => batchNorm(g, g.give('z', 5, 3), { momentum: 0.9 })[0], 0],
    ['fixed statistics', (g) => batchNorm(g, g.give('z', 5, 3), { training_mode: 0 })[0], 0],
  ],
  featureRows: [
    ['Between products', (g) => dense(g, g.Relu(dense(g, g.give('x', 3, 4), 5, 'W1')), 2, 'W2'), 3],
    ['what is returned', (g) => g.Relu(dense(g, g.give('x', 3, 4), 5, 'W1')), 0],
    ['a single row', (g) => dense(g, g.Relu(dense(g, g.give('x', 1, 4), 5, 'W1')), 2, 'W2'), 0],
    ['what the body of a Loop reads', (g) => readInBody(g, g.Relu(dense(g, g.give('x', 3, 4), 3, 'W1'))), 0],
  ],
  columnSums: [
    ['a sum', (g) => g.ReduceSum(g.give('z', 3, 4), g.ints([0]), { keepdims: 0 }), 1],
    ['a mean that keeps its axis', (g) => g.ReduceMean(g.give('z', 3, 4), g.ints([0]), { keepdims: 1 }), 1],
    ['along rows', (g) => g.ReduceSum(g.give('z', 3, 4), g.ints([1]), { keepdims: 0 }), 0],
    ['of everything', (g) => g.ReduceSum(g.give('z', 3, 4), g.ints([0, 1]), { keepdims: 0 }), 0],
    ['of images', (g) => g.ReduceSum(g.give('z', 3, 4, 2), g.ints([0]), { keepdims: 0 }), 0],
  ],
  crossEntropyPrimitives: [
    ['the mean', (g) => g.SoftmaxCrossEntropyLoss(g.give('x', 3, 2), g.give('labels', 3), { reduction: 'mean' })[0], 1],
    ['the sum', (g) => g.SoftmaxCrossEntropyLoss(g.give('x', 3, 2), g.give('labels', 3), { reduction: 'sum' })[0], 1],
  ],
  convWeightGradient: [
    ['dW', (g) => weightGradient(g), 1],
    ['a cut in steps of two', (g) => weightGradient(g, { steps: 2 }), 0],
    ['a cut from the second on', (g) => weightGradient(g, { from: 1 }), 0],
    ['with a bias', (g) => weightGradient(g, { bias: true }), 0],
  ],
  convInputGradient: [
    ['strides of one', (g) => transposedConv(g), 1],
    ['strides of two', (g) => transposedConv(g, { strides: [2, 2] }), 0],
    ['groups', (g) => transposedConv(g, { group: 2 }), 0],
    ['more padding than taps', (g) => transposedConv(g, { pads: [2, 2, 2, 2] }), 0],
    ['a bias', (g) => transposedConv(g, {}, g.give('bias', 2)), 0],
  ],
  convTransposeGroups: [
    ['two groups', (g) => transposedConv(g, { group: 2 }), 1],
    ['one group', (g) => transposedConv(g), 0],
  ],
  shieldStatistics: [
    ['running statistics', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2), { momentum: 0.9 })[1], 1],
    ['fixed statistics', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2), { training_mode: 0 })[0], 0],
  ],
  batchNormPrimitives: [
    ['running statistics', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2), { momentum: 0.9 })[1], 1],
    ['fixed statistics', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2), { training_mode: 0 })[0], 0],
  ],
  fixedBatchNorm: [
    ['fixed statistics', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2), { training_mode: 0 })[0], 1],
    ['running statistics', (g) => batchNorm(g, g.give('z', 5, 3, 2, 2))[0], 0],
  ],
  narrowIntegers: [
    ['the largest score and labels', (g) => correct(g, g.Cast(g.input('labels', int32), { to: 'int64' })), 1],
    ['labels that may not fit', (g) => correct(g, g.input('labels', { ...int32, dtype: 'int64' })), 0],
    ['a number that does not fit', (g) => correct(g, g.scalar(2 ** 40, 'int64')), 0],
  ],
  wholeSums: [
    [
      'over pixels, then samples',
      (g) => g.ReduceSum(g.ReduceSum(g.give('x', 3, 2, 4), g.ints([2]), { keepdims: 0 }), g.ints([0]), { keepdims: 1 }),
      1,
    ],
    [
      'a sum of means',
      (g) =>
        g.ReduceSum(g.ReduceMean(g.give('x', 3, 2, 4), g.ints([2]), { keepdims: 0 }), g.ints([0]), { keepdims: 1 }),
      0,
    ],
  ],
  blockedConv: [
    ['whole blocks', (g) => g.Conv(g.give('X', 2, 8, 3, 3), g.give('W', 4, 8, 2, 2), undefined, window(2)), 1],
    [
      'an odd number of channels',
      (g) => g.Conv(g.give('X', 2, 8, 3, 3), g.give('W', 3, 8, 2, 2), undefined, window(2)),
      0,
    ],
    ['groups', (g) => g.Conv(g.give('X', 2, 8, 3, 3), g.give('W', 4, 4, 2, 2), undefined, window(2, { group: 2 })), 0],
  ],
};

/** Negates a value twice in the body of a Loop, which captures it. */
function readInBody(g: Inputs, value: Value) {
  const b = g.body();
  b.input('iteration', { dtype: 'int64', shape: [] });
  const condition = b.input('condition', { dtype: 'bool', shape: [] });
  const body = b.build('body', { condition: b.Identity(condition), negative: b.Neg(value) });
  return g.Loop(g.scalar(2, 'int64'), g.Cast(g.scalar(1), { to: 'bool' }), { body })[0] as Value;
}

const int32: TensorType = { dtype: 'int32', shape: [3] };

const correct = (g: Inputs, labels: Value) =>
  g.Cast(g.Equal(g.ArgMax(g.give('x', 3, 2), { axis: 1, keepdims: 0 }), labels), { to: 'float32' });

const transposedConv = (g: Inputs, more: Partial<Attributes<'Conv'>> = {}, bias?: Value) =>
  g.ConvTranspose(g.give('dY', 2, 4, 5, 5), g.give('W', 4, 2, 2, 2), bias, {
    ...window(2, more),
    output_padding: [0, 0],
  });

function scaleGradient(
  g: Inputs,
  {
    axes = [0, 2, 3],
    keepdims = 0,
    isSwapped = false,
    ...more
  }: Parameters<typeof normalized>[1] & { axes?: number[]; keepdims?: 0 | 1; isSwapped?: boolean } = {},
) {
  const { zHat, dY } = normalized(g, more);
  return g.ReduceSum(isSwapped ? g.Mul(zHat, dY) : g.Mul(dY, zHat), g.ints(axes), { keepdims });
}

function graphOf(emit: Emit) {
  const g = graphBuilder();
  const give = (name: string, ...shape: readonly number[]) =>
    g.input(name, { dtype: name === 'labels' ? 'int32' : 'float32', shape });
  const outputs = emit(Object.assign(g, { give }));
  return g.build('row', 'name' in outputs ? { y: outputs as Value } : outputs);
}

/** Returns positive and negative numbers, positive variances, and class indices of 0 and 1. */
function feedsFor({ inputs }: ReturnType<typeof graphOf>): Arrays {
  const random = seeded(11);
  const draw = ({ name, dtype }: Value) =>
    dtype !== 'float32' ? Math.floor(2 * random()) : name.startsWith('var') ? 0.5 + random() : 2 * random() - 1;
  return Object.fromEntries(
    inputs.map((value) => {
      const shape = value.shape.map(Number);
      return [value.name, { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => draw(value)) }];
    }),
  );
}

describe.each(Object.entries(rows))('%s', (name, each) => {
  it.each(each)('%s', (_, emit, count) => {
    const graph = graphOf(emit);
    const { [name]: pass } = passes;
    if (!pass) throw new Error(`expected a pass named ${name}`);
    let replaced = 0;
    const lowered = lowerBy(graph, { [name]: (before) => pass(before, () => replaced++) });
    const feeds = feedsFor(graph);
    const [before, after] = [evaluate(graph, feeds), evaluate(lowered, feeds)];
    for (const [output, value] of Object.entries(before)) {
      expectClose(output, after[output], value, tolerance);
    }
    expect(replaced).toBe(count);
  });
});

it('every pass has rows, but for sums in blocks, which have a file of their own', () => {
  expect(Object.keys(passes).filter((name) => !(name in rows))).toEqual(['blockedSums']);
});
