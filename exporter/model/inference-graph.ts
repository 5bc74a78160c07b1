/**
 * Builds a trained network as a standard ONNX graph, with raw inputs, logits or numbers as output, and every tensor
 * stored inside. `training/network/rules/batch-norm.ts` emits its `BatchNormalization` nodes, with μ, σ², γ and β.
 */
import { at } from '../../training/arrays/index.ts';
import { checkGraph, encodeModel, type Graph, graphBuilder } from '../../training/graph/index.ts';
import { objectiveOf, type TrainedModel, type TrainingRecord } from '../../training/checkpoint/index.ts';
import { emitForward, outputShapeOf } from '../../training/network/index.ts';
import { objectiveRuleOf, type OutputKind } from '../../training/objective/index.ts';

/** Says which μ, σ² the exported Batch Norm nodes use: the fixed running ones, or each mini-batch's own. */
export type NodeStatistics = 'running' | 'batch';

/**
 * Returns the share of the old value kept, which is ONNX's convention; PyTorch's default if training had no constant
 * share, or it is not known.
 */
const momentumOf = (record: TrainingRecord | undefined): number =>
  typeof record?.config.bnMomentum === 'number' ? record.config.bnMomentum : 0.9;

/** Maps kinds of outputs to names. A `prediction` is in the unit of the targets. */
const outputNames = {
  logits: 'logits',
  probabilities: 'probabilities',
  'multi-label': 'probabilities',
  number: 'prediction',
} as const satisfies Readonly<Record<OutputKind, string>>;

const ruleOf = (model: TrainedModel) => objectiveRuleOf(objectiveOf(model));

export const outputKindOf = (model: TrainedModel): OutputKind => ruleOf(model).output;

export const outputNameOf = (model: TrainedModel): string => outputNames[outputKindOf(model)];

/** Counts the numbers that the exported file gives for a sample: `[N, outputs]`. */
export const outputsOf = (model: TrainedModel): number => ruleOf(model).answers(at(outputShapeOf(model.plan), 0));

/** Names the input: pictures are `pixels`, anything else `features`. */
export const inputNameOf = ({ plan }: TrainedModel): string =>
  plan.network.inputShape.length === 3 ? 'pixels' : 'features';

/**
 * Builds the graph in which `BatchNormalization` nodes stay as they are (scale γ, B β, input_mean μ, input_var σ²), so
 * that any ONNX viewer shows them; the runtime folds them into the layer before when it loads the file. With `batch`
 * the same nodes have `training_mode` 1.
 *
 * @param temperature by which logits are divided
 */
export function exportGraph(model: TrainedModel, statistics: NodeStatistics, temperature?: number): Graph {
  const { plan, tensors, record } = model;
  const g = graphBuilder();
  const x = g.input(inputNameOf(model), { dtype: 'float32', shape: ['N', ...plan.network.inputShape] });
  const stored = new Map([...tensors].map(([name, tensor]) => [name, g.initializer(name, tensor)]));
  const { output } = emitForward(g, plan, x, {
    mode: statistics === 'running' ? 'inference' : 'batchStatistics',
    tensors: stored,
    bnMomentum: momentumOf(record),
  });
  const scaled = temperature === undefined ? output : g.Mul(output, g.scalar(1 / temperature));
  const answer = ruleOf(model).emitAnswer(g, scaled);
  return checkGraph(g.build(plan.network.name, { [outputNameOf(model)]: answer }));
}

/**
 * Returns the graph as a file, whose metadata say what it was made from.
 *
 * @param temperature by which logits are divided
 */
export function exportFile(model: TrainedModel, temperature?: number): Uint8Array {
  const { plan, record, classes, columns } = model;
  return encodeModel(exportGraph(model, 'running', temperature), {
    network: JSON.stringify(plan.network),
    classes: JSON.stringify(classes),
    ...(columns && { columns: JSON.stringify(columns) }),
    statistics: 'fixed running statistics',
    ...(record && { data: record.data.name, training: JSON.stringify(record.config) }),
  });
}
