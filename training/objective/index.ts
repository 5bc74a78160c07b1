/**
 * Defines what a network is trained for and judged by: objectives as data, with a rule for each. A rule owns its loss
 * as graph nodes, its score and metrics on the host, and what the exported file answers. A new kind of model is a new
 * rule.
 */
export { emitMeanLoss } from './mean-loss.ts';
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
export {
  chooseThreshold,
  coverageOf,
  defaultLevel,
  minResidualsFor,
  fitAnswerRule,
  type Fitted,
  answerRuleOf,
  type AnswerRuleOptions,
  thresholdFlag,
  type ThresholdRule,
} from './fit-answer-rule.ts';
export { importanceOf } from './importance.ts';
export { answerRuleSchema } from './answer-rule-schema.ts';
export { scaledBy } from './metrics/temperature.ts';
export {
  baselineOf,
  finiteRows,
  formatReport,
  formatScore,
  isBetter,
  mistakesOf,
  reportOn,
  riskOn,
  scoresIn,
} from './report.ts';
export type {
  Agreement,
  Baseline,
  CheckedReport,
  Evaluation,
  Mistake,
  ObjectiveOptions,
  ObjectiveRule,
  OutputKind,
  AnswerRule,
  Report,
  Score,
} from './rule.ts';
export { outputKinds } from './rule.ts';
export { checkObjective, objectiveKinds, objectiveRuleFor, objectiveRuleOf } from './rule-of.ts';
