/**
 * Batch Norm gives numbers that neither this code nor ONNX Runtime computed: the specification's own example, an
 * example worked by hand, and the values that PyTorch documents. ONNX Runtime and the float64 reference must both give
 * them.
 */
import { describe, test } from 'vitest';
import { gradients } from '../../training/autodiff/index.ts';
import { type Attributes, checkGraph, type Graph, graphBuilder } from '../../training/graph/index.ts';
import { expectClose } from '../reference/close.ts';
import { type Arrays, evaluate } from '../reference/evaluate.ts';
import type { NdArray } from '../reference/ndarray.ts';
import { runGraph } from './run-graph.ts';

const tolerance = { rtol: 5e-7, ofLargest: 2e-7 };

const engines: readonly (readonly [name: string, run: (graph: Graph, feeds: Arrays) => Arrays | Promise<Arrays>])[] = [
  ['ONNX Runtime', runGraph],
  ['the float64 reference', evaluate],
];

interface Example {
  readonly attributes: Attributes<'BatchNormalization'>;
  readonly X: NdArray;
  readonly scale: NdArray;
  readonly B: NdArray;
  readonly input_mean: NdArray;
  readonly input_var: NdArray;
  readonly dY?: NdArray;
}

const array = (shape: readonly number[], ...values: readonly number[]): NdArray => ({
  shape,
  data: Float64Array.from(values),
});

const perChannel = (...values: readonly number[]): NdArray => array([values.length], ...values);

/** Builds a graph of Y and, in training, the running statistics; with a dY also of the gradient of Σ dY · Y. */
function graphOf({ attributes, dY, ...arrays }: Example): Graph {
  const g = graphBuilder();
  const typeOf = ({ shape }: NdArray) => ({ dtype: 'float32', shape }) as const;
  const X = g.input('X', typeOf(arrays.X));
  const scale = g.input('scale', typeOf(arrays.scale));
  const B = g.input('B', typeOf(arrays.B));
  const statistics = [
    g.input('input_mean', typeOf(arrays.input_mean)),
    g.input('input_var', typeOf(arrays.input_var)),
  ] as const;
  const [Y, running_mean, running_var] = g.BatchNormalization(X, scale, B, ...statistics, attributes);
  const running = attributes.training_mode === 1 ? { running_mean, running_var } : {};
  if (!dY) return checkGraph(g.build('norm', { Y, ...running }));
  const axes = g.ints(dY.shape.map((_, axis) => axis));
  const loss = g.ReduceSum(g.Mul(Y, g.input('dY', typeOf(dY))), axes, { keepdims: 0 });
  const [dX = X, dScale = scale, dB = B] = gradients(g, loss, [X, scale, B]);
  return checkGraph(g.build('norm', { Y, ...running, dX, dScale, dB }));
}

describe.each(engines)('%s computes Batch Norm', (_, run) => {
  async function expectOutputs(example: Example, expected: Arrays): Promise<void> {
    const { attributes: _attributes, ...arrays } = example;
    const actual = await run(graphOf(example), arrays);
    for (const [name, values] of Object.entries(expected)) {
      expectClose(name, actual[name], values, tolerance);
    }
  }

  /** https://github.com/onnx/onnx/blob/v1.13.0/onnx/backend/test/case/node/batchnorm.py, `test_batchnorm_example`. */
  const specification = {
    X: array([1, 2, 1, 3], -1, 0, 1, 2, 3, 4),
    scale: perChannel(1, 1.5),
    B: perChannel(0, 1),
    input_mean: perChannel(0, 3),
    input_var: perChannel(1, 1.5),
  };

  test('of the specification’s example, in inference', async () => {
    const attributes = { epsilon: 1e-5, momentum: 0.9, training_mode: 0 } as const;
    // 1 / √1.00001 and 1.5 / √1.50001
    const [first, second] = [0.999995, 1.2247408];
    await expectOutputs(
      { ...specification, attributes },
      { Y: array([1, 2, 1, 3], -first, 0, first, 1 - second, 1, 1 + second) },
    );
  });

  test('of the specification’s example, in training', async () => {
    const attributes = { epsilon: 1e-5, momentum: 0.9, training_mode: 1 } as const;
    // Both channels have the population variance 2/3: 1 / √(2/3 + 10⁻⁵) and 1.5 times that.
    const [first, second] = [1.2247357, 1.8371035];
    await expectOutputs(
      { ...specification, attributes },
      {
        Y: array([1, 2, 1, 3], -first, 0, first, 1 - second, 1, 1 + second),
        running_mean: perChannel(0, 3),
        running_var: perChannel(0.9 + 0.1 * (2 / 3), 1.35 + 0.1 * (2 / 3)),
      },
    );
  });

  /** μ = (2, 4), σ² = (1, 16), so ẑ = ±1; ε = 0 keeps every number round. */
  const byHand = {
    X: array([4, 2], 1, 0, 1, 0, 3, 8, 3, 8),
    scale: perChannel(2, 3),
    B: perChannel(10, -1),
    input_mean: perChannel(1, 2),
    input_var: perChannel(4, 36),
    dY: array([4, 2], 1, 0, 0, 1, 0, 1, 0, 2),
  };

  test('by hand: forward and backward through the mini-batch’s statistics', async () => {
    const attributes = { epsilon: 0, momentum: 0, training_mode: 1 } as const;
    await expectOutputs(
      { ...byHand, attributes },
      {
        // γ ẑ + β
        Y: array([4, 2], 8, -4, 8, -4, 12, 2, 12, 2),
        running_mean: perChannel(2, 4),
        running_var: perChannel(1, 16),
        dB: perChannel(1, 4),
        dScale: perChannel(-1, 2),
        // γ/σ · (dY − dβ/m − ẑ · dγ/m) with γ/σ = (2, 3/4), dβ/m = (1/4, 1), dγ/m = (−1/4, 1/2)
        dX: array([4, 2], 1, -0.375, -1, 0.375, 0, -0.375, 0, 0.375),
      },
    );
  });

  test('by hand: the same values as an image, channel by channel', async () => {
    const attributes = { epsilon: 0, momentum: 0, training_mode: 1 } as const;
    const image = {
      ...byHand,
      X: array([1, 2, 2, 2], 1, 1, 3, 3, 0, 0, 8, 8),
      dY: array([1, 2, 2, 2], 1, 0, 0, 0, 0, 1, 1, 2),
    };
    await expectOutputs(
      { ...image, attributes },
      {
        Y: array([1, 2, 2, 2], 8, 8, 12, 12, -4, -4, 2, 2),
        dX: array([1, 2, 2, 2], 1, -1, 0, 0, -0.375, 0.375, -0.375, 0.375),
      },
    );
  });

  test('by hand: forward and backward through fixed statistics', async () => {
    const attributes = { epsilon: 0, momentum: 0.9, training_mode: 0 } as const;
    await expectOutputs(
      { ...byHand, attributes },
      {
        // ẑ = (x − 1) / 2 and (x − 2) / 6
        Y: array([4, 2], 10, -2, 10, -2, 12, 2, 12, 2),
        dB: perChannel(1, 4),
        dScale: perChannel(0, 8 / 3),
        // γ/σ · dY, each sample alone
        dX: array([4, 2], 1, 0, 0, 0.5, 0, 0.5, 0, 1),
      },
    );
  });

  test('with momentum as the share of the old value that is kept', async () => {
    const { dY: _dY, ...forward } = byHand;
    const runningAt = (momentum: number, mean: NdArray, variance: NdArray) =>
      expectOutputs(
        { ...forward, attributes: { epsilon: 0, momentum, training_mode: 1 } },
        { running_mean: mean, running_var: variance },
      );
    await runningAt(1, byHand.input_mean, byHand.input_var);
    await runningAt(0, perChannel(2, 4), perChannel(1, 16));
    await runningAt(0.75, perChannel(1.25, 2.5), perChannel(3.25, 31));
  });

  test('as PyTorch does, once its momentum is turned round and its m − 1 divided out', async () => {
    // https://pytorch.org/docs/2.4/generated/torch.nn.BatchNorm1d.html: running = (1 − momentum) · running + momentum · batch,
    // where batch is the variance divided by m − 1: [1, 1, 3, 3] has 4/3, [0, 0, 8, 8] has 64/3.
    const [m, momentum] = [4, 0.1];
    const pytorch = { running_mean: [0.2, 0.4], running_var: [0.9 + 0.4 / 3, 0.9 + 6.4 / 3] };
    const { dY: _dY, ...forward } = byHand;
    const fresh = { ...forward, input_mean: perChannel(0, 0), input_var: perChannel(1, 1) };
    const kept = 1 - momentum;
    await expectOutputs(
      { ...fresh, attributes: { epsilon: 0, momentum: 1 - momentum, training_mode: 1 } },
      {
        running_mean: perChannel(...pytorch.running_mean),
        running_var: perChannel(...pytorch.running_var.map((value) => kept + (value - kept) * ((m - 1) / m))),
      },
    );
  });
});
