/** What a network is trained for and judged by: objectives as data, their losses as graph nodes, metrics on the host. */
export { macroAuc, rocAuc } from './metrics/auc.ts';
export {
  accuracy,
  classLogits,
  crossEntropy,
  type Logits,
  predictions,
  probabilities,
  topKAccuracy,
} from './metrics/classification.ts';
export { classScores, confusionMatrix, type ConfusionMatrix, macroF1 } from './metrics/confusion.ts';
export { r2, rmse } from './metrics/regression.ts';
export * from './objective.ts';
export { reportOn, type Report } from './report.ts';
export type { Evaluation } from './rule.ts';
export { checkObjective, objectiveRuleOf } from './rules/index.ts';
