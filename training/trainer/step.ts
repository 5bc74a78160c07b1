/**
 * Emits one training step as graph nodes: forward pass, loss, gradients, the optimizer's update, and the running
 * statistics.
 *
 *   x ──▶ forward ──▶ output ──▶ loss ──▶ gradients ──▶ parameters, slots ──┐
 *            │                                                              ├──▶ averages of the weights
 *            └──▶ μ, σ² of the mini-batch ──▶ running statistics ───────────┘
 */
import { at } from '../arrays/index.ts';
import { gradients } from '../autodiff/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import { emitForward, isTrained, layerTensorsOf, type Plan } from '../network/index.ts';
import { emitMeanLoss, multiclass, type Objective, objectiveRuleOf } from '../objective/index.ts';
import { type NamedValues, type UpdateInputs, type UpdateOptions, valueOf } from './update-inputs.ts';
import { updateParameters } from './update-parameters.ts';
import { emitStatistics, updateAverages, updateStatistics } from './update-statistics.ts';

export interface StepOptions extends UpdateOptions {
  /** Normalizes by the fixed running statistics instead of the mini-batch's. γ and β are still trained. */
  readonly freezeBn?: boolean | undefined;
  /** Multi-class cross-entropy when omitted. */
  readonly objective?: Objective | undefined;
  readonly seed: number;
}

export interface GradientInputs {
  /** Raw samples `[B, ..]`. */
  readonly x: Value;
  /** Class indices or numbers `[B]`, or whatever else the objective takes. */
  readonly targets: Value;
  /** Counts all steps of the run, an int64 scalar. */
  readonly step: Value;
  readonly state: NamedValues;
}

export interface StepInputs extends GradientInputs, UpdateInputs {}

/** The results of a mini-batch, before anything is updated. */
export interface Gradients {
  /** The objective's mean over the mini-batch, a scalar. */
  readonly loss: Value;
  /**
   * The mini-batch's contribution to the objective's score, a scalar: for example, how many samples are classified
   * correctly.
   */
  readonly score: Value;
  /** The gradients of the loss, by the name of the parameter. */
  readonly gradients: NamedValues;
  /** The mini-batch's μ and σ², by the name of the running one. */
  readonly statistics: NamedValues;
}

export interface StepOutputs extends Pick<Gradients, 'loss' | 'score'> {
  /** The tensors that the step changes, under their names in the state. */
  readonly state: NamedValues;
}

/** Emits the part of a step that does the work and changes nothing: forward pass, loss and gradients. */
export function emitGradients(g: GraphBuilder, plan: Plan, inputs: GradientInputs, options: StepOptions): Gradients {
  const { output, members, batchStatistics } = emitForward(g, plan, inputs.x, {
    mode: options.freezeBn ? 'frozenTrain' : 'train',
    tensors: inputs.state,
    randomKey: { seed: options.seed, step: inputs.step },
  });
  const objective = options.objective ?? multiclass();
  const { emitScore } = objectiveRuleOf(objective);
  const loss = g.scoped('loss', () => emitMeanLoss(g, objective, members ?? output, inputs.targets));
  const names = layerTensorsOf(plan)
    .filter(isTrained)
    .map(({ name }) => name);
  const dParameters = gradients(
    g,
    loss,
    names.map((name) => valueOf(inputs.state, name)),
  );
  return {
    loss,
    score: g.scoped('score', () => emitScore(g, objective, output, inputs.targets)),
    gradients: new Map(dParameters.map((gradient, i) => [at(names, i), gradient])),
    statistics: emitStatistics(g, batchStatistics, options),
  };
}

/** Emits a whole step. */
export function emitStep(g: GraphBuilder, plan: Plan, inputs: StepInputs, options: StepOptions): StepOutputs {
  const { loss, score, gradients, statistics } = emitGradients(g, plan, inputs, options);
  const tensors = layerTensorsOf(plan);
  const changed = new Map([
    ...updateParameters(g, tensors.filter(isTrained), gradients, inputs, options),
    ...updateStatistics(g, statistics, inputs),
  ]);
  const averages = options.ema === undefined ? [] : updateAverages(g, tensors, changed, inputs);
  return { state: new Map([...changed, ...averages]), loss, score };
}
