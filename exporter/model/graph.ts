/** A trained network as a standard ONNX graph: raw inputs in, logits or numbers out, every tensor stored inside. */
import type { Column } from '../../training/data/index.ts';
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type Value } from '../../training/graph/index.ts';
import type { TrainedModel, TrainingRecord } from '../../training/checkpoint/model.ts';
import { emitForward, outputShapeOf } from '../../training/network/index.ts';

/** Which μ, σ² the exported Batch Norm nodes use: the fixed running ones, or each mini-batch's own. */
export type NodeStatistics = 'running' | 'batch';

/** ONNX's convention: the share of the old value kept. PyTorch's default where there is no constant share, or none known. */
const momentumOf = (record: TrainingRecord | undefined): number =>
  typeof record?.config.bnMomentum === 'number' ? record.config.bnMomentum : 0.9;

/** Logits of the classes, or else a number, in the unit of the targets. */
export const outputNameOf = ({ classes }: TrainedModel): string => (classes.length > 0 ? 'logits' : 'prediction');

/** How many numbers the exported file gives for a sample: `[N, outputs]`. */
export const outputsOf = (model: TrainedModel): number =>
  isBinary(model) ? model.classes.length : (outputShapeOf(model.plan)[0] ?? NaN);

/** One logit for two classes. */
const isBinary = ({ classes, plan }: TrainedModel): boolean => classes.length === 2 && outputShapeOf(plan)[0] === 1;

/** Images are `pixels`, anything else `features`. */
export const inputNameOf = ({ plan }: TrainedModel): string =>
  plan.network.inputShape.length === 3 ? 'pixels' : 'features';

/**
 * `BatchNormalization` nodes stay as they are (scale γ, B β, input_mean μ, input_var σ²), so that any ONNX viewer shows
 * them; the runtime folds them into the layer before when it loads the file. With `batch` the same nodes have
 * `training_mode` 1.
 */
export function exportGraph(model: TrainedModel, statistics: NodeStatistics): Graph {
  const { plan, tensors, columns, record } = model;
  const g = graphBuilder();
  const x = g.input(inputNameOf(model), { dtype: 'float32', shape: ['N', ...plan.network.inputShape] });
  const stored = new Map([...tensors].map(([name, tensor]) => [name, g.initializer(name, tensor)]));
  const { output } = emitForward(g, plan, fillMissing(g, x, columns), {
    mode: statistics === 'running' ? 'inference' : 'batchStatistics',
    tensors: stored,
    bnMomentum: momentumOf(record),
  });
  const answer = isBinary(model) ? logitsOfBoth(g, output) : output;
  return checkGraph(g.build(plan.network.name, { [outputNameOf(model)]: answer }));
}

/** What stands in for NaN in each column; NaN itself where nothing does. Training met no missing values. */
function fillMissing(g: GraphBuilder, x: Value, columns: readonly Column[] = []): Value {
  if (columns.every(({ fill }) => fill === null)) return x;
  const data = Float32Array.from(columns, ({ fill }) => fill ?? NaN);
  return g.scoped('missing', () =>
    g.Where(g.IsNaN(x), g.initializer('fill', { dtype: 'float32', shape: [data.length], data }), x),
  );
}

/** (0, z), whose softmax is (1 − σ(z), σ(z)): a client needs to know nothing of the objective. */
const logitsOfBoth = (g: GraphBuilder, z: Value): Value => g.Pad(z, g.ints([0, 1, 0, 0]), { mode: 'constant' });
