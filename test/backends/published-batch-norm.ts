/**
 * Batch Norm on any backend agrees with the ONNX specification's examples and with PyTorch: forward, backward, running
 * statistics.
 */
import { describe, test } from 'vitest';
import { gradients } from '../../training/autodiff/index.ts';
import type { Backend } from '../../training/backend/index.ts';
import { elementCount } from '../../training/arrays/index.ts';
import { checkGraph, type Graph, type GraphBuilder, graphBuilder, type Value } from '../../training/graph/index.ts';
import { type BnVariance, statisticsShares, unbiasedVariance } from '../../training/optimizer/index.ts';
import { expectClose } from '../reference/close.ts';
import type { Arrays } from '../reference/evaluate.ts';
import type { NdArray } from '../reference/ndarray.ts';
import {
  type OnnxExample,
  onnxExamples,
  type PytorchRun,
  pytorchRuns,
  type PytorchStep,
} from '../reference/published/batch-norm.ts';
import { arrayOf, tensorsFor } from './tensors.ts';

const tolerance = { rtol: 5e-6, ofLargest: 1e-7 };

interface Check {
  readonly graph: Graph;
  readonly feeds: Arrays;
  readonly expected: Arrays;
}

type Checks = readonly (readonly [about: string, checks: readonly Check[]])[];

const published: Checks = [
  ...onnxExamples.map((example) => [`of the specification’s ${example.name}`, [exampleCheck(example)]] as const),
  ...pytorchRuns.flatMap((run): Checks => [
    [`of three mini-batches as PyTorch’s ${run.name}, and backward`, run.steps.map((step) => trainingCheck(run, step))],
    [`with the running statistics of PyTorch’s ${run.name}, m − 1 and all`, unbiasedChecks(run)],
    [`with the running variance of ${run.name} divided by m, as ONNX has it`, populationChecks(run)],
    [`in evaluation as PyTorch’s ${run.name}`, [evaluationCheck(run)]],
  ]),
];

/** Lists all graphs, for backends that must know them in advance. */
export const publishedGraphs: readonly Graph[] = published.flatMap(([, checks]) => checks.map(({ graph }) => graph));

export function describePublishedBatchNorm(backend: Backend): void {
  describe(`${backend.name} computes Batch Norm`, () => {
    test.each(published)('%s', async (_, checks) => {
      for (const check of checks) await expectResults(backend, check);
    });
  });
}

function exampleCheck({ attributes, inputs, outputs }: OnnxExample): Check {
  const g = graphBuilder();
  const [Y, running_mean, running_var] = g.BatchNormalization(...inputsFor(g, inputs), attributes);
  const results = attributes.training_mode === 1 ? { Y, running_mean, running_var } : { Y };
  return { graph: checkGraph(g.build('example', results)), feeds: inputs, expected: outputs };
}

function trainingCheck(run: PytorchRun, { X, dY, Y, dX, dScale, dB }: PytorchStep): Check {
  const feeds = { X, scale: run.scale, B: run.B, dY };
  return { graph: trainingGraph(run, X), feeds, expected: { Y, dX, dScale, dB } };
}

function unbiasedChecks(run: PytorchRun): readonly Check[] {
  let [mean, variance] = startOf(run);
  return run.steps.map(({ X, running_mean, running_var }, i) => {
    const feeds = { X, mean, variance };
    [mean, variance] = [running_mean, running_var];
    return { graph: statisticsGraph(run, X, i + 1, 'unbiased'), feeds, expected: { running_mean, running_var } };
  });
}

function populationChecks(run: PytorchRun): readonly Check[] {
  let [mean, variance] = startOf(run);
  return run.steps.map(({ X, running_mean }, i) => {
    const feeds = { X, mean, variance };
    const { statistics_kept: kept, statistics_fresh: fresh } = statisticsShares(run.momentum, i + 1);
    const batch = populationVariance(X);
    const running_var = { ...variance, data: variance.data.map((v, c) => kept * v + fresh * (batch[c] ?? NaN)) };
    [mean, variance] = [running_mean, running_var];
    return { graph: statisticsGraph(run, X, i + 1, 'population'), feeds, expected: { running_mean, running_var } };
  });
}

function evaluationCheck({ scale, B, epsilon, steps, evaluated }: PytorchRun): Check {
  const last = steps.at(-1);
  if (!last) throw new Error('no steps');
  const { X, running_mean: input_mean, running_var: input_var } = last;
  const g = graphBuilder();
  const feeds = { X, scale, B, input_mean, input_var };
  const attributes = { epsilon, momentum: 0.9, training_mode: 0 } as const;
  const [Y] = g.BatchNormalization(...inputsFor(g, feeds), attributes);
  return { graph: checkGraph(g.build('evaluation', { Y })), feeds, expected: { Y: evaluated } };
}

/** Declares the inputs of a graph, one for each array, in their order. */
function inputsFor<Name extends string>(g: GraphBuilder, arrays: Readonly<Record<Name, NdArray>>) {
  const entries = Object.entries<NdArray>(arrays);
  const values = entries.map(([name, { shape }]) => g.input(name, { dtype: 'float32', shape }));
  return values as [Value, Value, Value, Value, Value];
}

/** X, scale, B, dY -> Y with the mini-batch's statistics, and the gradients of Σ dY · Y. */
function trainingGraph({ scale, B, epsilon }: PytorchRun, X: NdArray): Graph {
  const g = graphBuilder();
  const [x, gamma, beta, dY] = inputsFor(g, { X, scale, B, dY: X });
  const [zero, one] = [0, 1].map((value) => filled(g, B.shape, value)) as [Value, Value];
  const [Y] = g.BatchNormalization(x, gamma, beta, zero, one, { epsilon, momentum: 0, training_mode: 1 });
  const loss = g.ReduceSum(g.Mul(Y, dY), g.ints(X.shape.map((_, axis) => axis)), { keepdims: 0 });
  const [dX = x, dScale = gamma, dB = beta] = gradients(g, loss, [x, gamma, beta]);
  return checkGraph(g.build('training', { Y, dX, dScale, dB }));
}

/**
 * X, mean, variance -> the running statistics after a step. With momentum 0 the operator outputs the mini-batch's own.
 */
function statisticsGraph({ B, epsilon, momentum }: PytorchRun, X: NdArray, step: number, kind: BnVariance): Graph {
  const g = graphBuilder();
  const [x, mean, variance] = inputsFor(g, { X, mean: B, variance: B });
  const [zero, one] = [0, 1].map((value) => filled(g, B.shape, value)) as [Value, Value];
  const [, mu, sigma2] = g.BatchNormalization(x, one, zero, zero, one, { epsilon, momentum: 0, training_mode: 1 });
  const { statistics_kept, statistics_fresh } = statisticsShares(momentum, step);
  const average = (running: Value, batch: Value) =>
    g.Add(g.Mul(running, g.scalar(statistics_kept)), g.Mul(batch, g.scalar(statistics_fresh)));
  const running_mean = average(mean, mu);
  const running_var = average(variance, kind === 'unbiased' ? unbiasedVariance(g, sigma2, x) : sigma2);
  return checkGraph(g.build('statistics', { running_mean, running_var }));
}

function filled(g: GraphBuilder, shape: readonly number[], value: number): Value {
  const data = new Float32Array(elementCount(shape)).fill(value);
  return g.initializer(`all_${value}`, { dtype: 'float32', shape, data });
}

/** Returns PyTorch's initial running statistics: mean 0 and variance 1. */
function startOf({ B }: PytorchRun): [NdArray, NdArray] {
  return [
    { ...B, data: B.data.map(() => 0) },
    { ...B, data: B.data.map(() => 1) },
  ];
}

/** Computes 1/m Σ (x − μ)² for each channel of `[N, C, ..]`. */
function populationVariance({ shape, data }: NdArray): number[] {
  const [count = 1, channels = 1, ...rest] = shape;
  const area = elementCount(rest);
  return Array.from({ length: channels }, (_, c) => {
    const values = Array.from(data).filter((_, i) => Math.floor(i / area) % channels === c);
    const mean = values.reduce((sum, value) => sum + value, 0) / (count * area);
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count * area);
  });
}

async function expectResults(backend: Backend, { graph, feeds, expected }: Check): Promise<void> {
  const session = await backend.createSession(graph);
  try {
    const actual = await session.run(tensorsFor(graph, feeds));
    for (const [name, values] of Object.entries(expected)) expectClose(name, arrayOf(actual, name), values, tolerance);
  } finally {
    await session.release();
  }
}
