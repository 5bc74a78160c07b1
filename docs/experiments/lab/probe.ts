/** Looks inside a network: computes the values of chosen nodes, and the gradients of the loss. */
import { at } from '../../../training/arrays/index.ts';
import { gradients } from '../../../training/autodiff/index.ts';
import type { ClassificationDataset, Samples } from '../../../training/data/index.ts';
import { checkGraph, graphBuilder, type GraphBuilder, type Value } from '../../../training/graph/index.ts';
import {
  emitForward,
  isTrained,
  layerTensorsOf,
  type Mode,
  type Plan,
  tensorsOf,
} from '../../../training/network/index.ts';
import { multiclass, objectiveRuleOf } from '../../../training/objective/index.ts';
import { batchesOf, declareNetwork, floatsOf, type State } from '../../../training/trainer/index.ts';
import type { Lab } from './lab.ts';

export type Values = Readonly<Record<string, Float32Array>>;

/** Computes the values with all samples as one mini-batch. */
export type Probe = (tensors: State, samples: Samples) => Promise<Values>;

/**
 * Creates a probe of the first output of each node of the forward pass, row-major.
 *
 * @param nodes their names in the graph: layer and op, such as `fc2/Gemm`
 */
export async function createProbe(lab: Lab, plan: Plan, nodes: readonly string[], mode: Mode): Promise<Probe> {
  const g = graphBuilder();
  const { x, tensors } = declareNetwork(g, plan);
  emitForward(g, plan, x, { mode, tensors });
  const outputs = Object.fromEntries(nodes.map((node, i) => [`value ${i}`, outputOf(g, node)]));
  const session = await lab.backend.createSession(checkGraph(g.build('probe', outputs)));
  return async (state, samples) => {
    const results = await session.run({ ...Object.fromEntries(state), x: inOneBatch(samples) });
    return Object.fromEntries(nodes.map((node, i) => [node, floatsOf(results, `value ${i}`)]));
  };
}

export interface LossAndGradients {
  readonly loss: number;
  /** Maps the name of each parameter to its gradient. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Creates a probe of the training loss of a mini-batch of that size, and of its gradient by every parameter. */
export async function createGradientProbe(lab: Lab, plan: Plan, batchSize: number) {
  const g = graphBuilder();
  const input = (name: string, shape: readonly number[]) => g.input(name, { dtype: 'float32', shape });
  const x = input('x', [batchSize, ...plan.network.inputShape]);
  const tensors = new Map(tensorsOf(plan).map(({ name, shape }) => [name, input(name, shape)]));
  const labels = g.input('labels', { dtype: 'int32', shape: [batchSize] });
  const { output } = emitForward(g, plan, x, { mode: 'train', tensors });
  const loss = objectiveRuleOf(multiclass()).emitLoss(g, multiclass(), output, labels);
  const names = layerTensorsOf(plan)
    .filter(isTrained)
    .map(({ name }) => name);
  const parameters = names.map((name) => tensors.get(name)).filter((value) => value !== undefined);
  const outputs = gradients(g, loss, parameters).map((gradient, i) => [`gradient ${i}`, gradient] as const);
  const session = await lab.backend.createSession(
    checkGraph(g.build('gradients', { loss, ...Object.fromEntries(outputs) })),
  );
  return async (state: State, samples: ClassificationDataset): Promise<LossAndGradients> => {
    const results = await session.run({
      ...Object.fromEntries(state),
      x: inOneBatch(samples),
      labels: { dtype: 'int32', shape: [samples.count], data: samples.labels },
    });
    const named = names.map((name, i) => [name, floatsOf(results, `gradient ${i}`)] as const);
    return { loss: at(floatsOf(results, 'loss'), 0), gradients: new Map(named) };
  };
}

function outputOf(g: GraphBuilder, name: string): Value {
  const node = g.nodes.find((candidate) => candidate.name === name);
  if (!node) throw new Error(`internal: the forward pass has no ${name}`);
  return node.outputs[0];
}

function inOneBatch(samples: Samples) {
  for (const { x } of batchesOf(samples, samples.count)) return x;
  throw new Error('internal: no samples');
}

export interface LayerStatistics {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** Creates a probe of μ and σ² of one mini-batch in every Batch Norm layer. */
export async function createStatisticsProbe(lab: Lab, plan: Plan) {
  const g = graphBuilder();
  const { x, tensors } = declareNetwork(g, plan);
  const { batchStatistics } = emitForward(g, plan, x, { mode: 'batchStatistics', tensors });
  const outputs = [...batchStatistics].flatMap(([layer, { mean, variance }]) => [
    [`${layer} mean`, mean] as const,
    [`${layer} variance`, variance] as const,
  ]);
  const session = await lab.backend.createSession(checkGraph(g.build('statistics', Object.fromEntries(outputs))));
  return async (state: State, samples: Samples): Promise<ReadonlyMap<string, LayerStatistics>> => {
    const results = await session.run({ ...Object.fromEntries(state), x: inOneBatch(samples) });
    const of = (layer: string) => ({
      mean: floatsOf(results, `${layer} mean`),
      variance: floatsOf(results, `${layer} variance`),
    });
    return new Map([...batchStatistics.keys()].map((layer) => [layer, of(layer)]));
  };
}
