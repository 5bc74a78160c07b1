/**
 * One training step as graph nodes: forward pass, loss, gradients, the optimizer's update, and the running statistics.
 */
import { gradients } from '../autodiff/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import { emitForward, isTrained, layerTensorsOf, type Plan } from '../network/index.ts';
import { emitMeanLoss, multiclass, type Objective, objectiveRuleOf } from '../objective/index.ts';
import {
  type NamedValues,
  updateAverages,
  type UpdateInputs,
  type UpdateOptions,
  updateParameters,
  updateStatistics,
  valueOf,
} from './update.ts';

export interface StepOptions extends UpdateOptions {
  /** Fixed running statistics in place of the mini-batch's. γ and β are trained all the same. */
  readonly freezeBn?: boolean | undefined;
  /** Multi-class cross-entropy when omitted. */
  readonly objective?: Objective | undefined;
  readonly seed: number;
}

export interface StepInputs extends UpdateInputs {
  /** Raw samples `[B, ..]`. */
  readonly x: Value;
  /** Class indices or numbers `[B]`, or what else the objective takes. */
  readonly targets: Value;
  /** Counts all steps of the run, an int64 scalar. */
  readonly step: Value;
}

export interface StepOutputs {
  /** What the step changes, under the names it came by. */
  readonly state: NamedValues;
  /** The objective's mean over the mini-batch, a scalar. */
  readonly loss: Value;
  /** What the mini-batch adds to the objective's score: how many samples are classified correctly, say; a scalar. */
  readonly score: Value;
}

export function emitStep(g: GraphBuilder, plan: Plan, inputs: StepInputs, options: StepOptions): StepOutputs {
  const { output, members, batchStatistics } = emitForward(g, plan, inputs.x, {
    mode: options.freezeBn ? 'frozenTrain' : 'train',
    tensors: inputs.state,
    randomKey: { seed: options.seed, step: inputs.step },
  });
  const objective = options.objective ?? multiclass();
  const { emitScore } = objectiveRuleOf(objective);
  const loss = g.scoped('loss', () => emitMeanLoss(g, objective, members ?? output, inputs.targets));
  const tensors = layerTensorsOf(plan);
  const trained = tensors.filter(isTrained);
  const parameters = trained.map(({ name }) => valueOf(inputs.state, name));
  const dParameters = gradients(g, loss, parameters);
  const changed = new Map([
    ...updateParameters(g, trained, dParameters, inputs, options),
    ...updateStatistics(g, batchStatistics, inputs, options),
  ]);
  const averages = options.ema === undefined ? [] : updateAverages(g, tensors, changed, inputs);
  return {
    state: new Map([...changed, ...averages]),
    loss,
    score: g.scoped('score', () => emitScore(g, objective, output, inputs.targets)),
  };
}
