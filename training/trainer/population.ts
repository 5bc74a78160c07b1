/**
 * Computes Batch Norm statistics over the whole training set instead of a running average. The paper's inference uses
 * these; the running average estimates them.
 */
import { at } from '../arrays/index.ts';
import type { Backend, NamedTensors } from '../backend/index.ts';
import type { Samples } from '../data/index.ts';
import { releasing } from '../files/index.ts';
import { checkGraph, type Graph, graphBuilder, type Tensor } from '../graph/index.ts';
import { emitForward, layersOf, type Plan } from '../network/index.ts';
import { declareNetwork } from './evaluate.ts';
import { batchesOf, floatsOf } from './samples.ts';
import type { State } from './state.ts';

/**
 * Returns the state with every running mean and variance replaced. With the μ_B, σ²_B of mini-batches that all have m
 * samples:
 *
 *     μ = E[μ_B]        σ² = E[σ²_B + μ_B²] − μ²
 *
 * so that σ² is the population variance around the common mean. The forward pass normalizes by mini-batch, without
 * dropout, as in Ioffe and Szegedy, algorithm 2, https://arxiv.org/abs/1502.03167, which averages σ²_B alone.
 *
 * @param batchSize an incomplete last mini-batch is left out
 */
export async function populationStatistics(
  backend: Backend,
  plan: Plan,
  state: State,
  dataset: Samples,
  batchSize = Math.min(500, dataset.count),
): Promise<State> {
  if (layersOf(plan).every(({ layer }) => layer.kind !== 'batchNorm')) return state;
  await using session = releasing(await backend.createSession(statisticsGraph(plan)));
  const complete = { ...dataset, count: dataset.count - (dataset.count % batchSize) };
  const results: NamedTensors[] = [];
  for (const { x } of batchesOf(complete, batchSize))
    results.push(await session.run({ ...Object.fromEntries(state), x }));
  return new Map([
    ...state,
    ...layersOf(plan).flatMap(({ name, layer }) => (layer.kind === 'batchNorm' ? combine(name, results) : [])),
  ]);
}

function statisticsGraph(plan: Plan): Graph {
  const g = graphBuilder();
  const { x, tensors } = declareNetwork(g, plan);
  const { batchStatistics } = emitForward(g, plan, x, { mode: 'batchStatistics', tensors });
  const outputs = [...batchStatistics].flatMap(([layer, { mean, variance }]) => [
    [meanOf(layer), mean] as const,
    [varianceOf(layer), variance] as const,
  ]);
  return checkGraph(g.build(`statistics of ${plan.network.name}`, Object.fromEntries(outputs)));
}

const meanOf = (layer: string): string => `${layer}/mean`;
const varianceOf = (layer: string): string => `${layer}/variance`;

function combine(layer: string, batches: readonly NamedTensors[]): [string, Tensor<'float32'>][] {
  const means = batches.map((batch) => floatsOf(batch, meanOf(layer)));
  const variances = batches.map((batch) => floatsOf(batch, varianceOf(layer)));
  const average = (channel: number, term: (mean: number, variance: number) => number) =>
    means.reduce((sum, mean, i) => sum + term(at(mean, channel), at(at(variances, i), channel)), 0) / batches.length;
  const channels = Array.from({ length: at(means, 0).length }, (_, channel) => {
    const mean = average(channel, (mu) => mu);
    return { mean, variance: average(channel, (mu, sigma2) => sigma2 + mu * mu) - mean * mean };
  });
  const tensor = (values: readonly number[]): Tensor<'float32'> => ({
    dtype: 'float32',
    shape: [values.length],
    data: Float32Array.from(values),
  });
  return [
    [`${layer}.running_mean`, tensor(channels.map(({ mean }) => mean))],
    [`${layer}.running_var`, tensor(channels.map(({ variance }) => variance))],
  ];
}
