/**
 * Builds the part of a step that ONNX Runtime computes where the state stays in place: loss, gradients and statistics.
 */
import { at } from '../../arrays/index.ts';
import { checkGraph, type Graph, graphBuilder, liveNodes } from '../../graph/index.ts';
import { outputShapeOf, type Plan, tensorsOf } from '../../network/index.ts';
import { multiclass, objectiveRuleOf } from '../../objective/index.ts';
import type { LoopOptions } from '../loop-graph.ts';
import { emitGradients } from '../step.ts';

/** Returns the name of the output that holds a parameter's gradient. */
export const gradientName = (parameter: string): string => `gradient/${parameter}`;

/** Returns the name of the output that holds a mini-batch's mean or variance, by the name of the running one. */
export const batchName = (statistic: string): string => `batch/${statistic}`;

/** Returns the running means and variances for which a gradient graph gives the mini-batch's. */
export const measuredBy = ({ outputs }: Graph): ReadonlySet<string> => {
  const prefix = batchName('');
  return new Set(outputs.flatMap(({ name }) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : [])));
};

/**
 * Builds the graph. Its inputs are `x [batchSize, ..]`, `targets [batchSize, ..]`, `step`, and those of the network's
 * tensors that the gradients depend on, by name. Its outputs are `gradient/<name>`, `batch/<name>`, `loss` and `score`.
 */
export function gradientGraph(plan: Plan, options: LoopOptions): Graph {
  const { batchSize, data, objective = multiclass() } = options;
  const rule = objectiveRuleOf(objective).targets;
  const outputs = at(outputShapeOf(plan), 0);
  const g = graphBuilder();
  const x = g.input('x', { dtype: data.dtype, shape: [batchSize, ...plan.network.inputShape] });
  const targets = g.input('targets', { dtype: rule.dtype, shape: [batchSize, ...rule.shape(outputs)] });
  const step = g.input('step', { dtype: 'int64', shape: [] });
  const state = new Map(
    tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const),
  );
  const { loss, score, gradients, statistics } = emitGradients(g, plan, { x, targets, step, state }, options);
  const renamed = (values: typeof gradients, name: (of: string) => string) =>
    [...values].map(([of, value]) => [name(of), value] as const);
  const graph = g.build(`gradients of ${plan.network.name}`, {
    ...Object.fromEntries([...renamed(gradients, gradientName), ...renamed(statistics, batchName)]),
    loss,
    score,
  });
  const { used } = liveNodes(graph.nodes, graph.outputs);
  return checkGraph({ ...graph, inputs: graph.inputs.filter(({ name }) => used.has(name)) });
}
