/** How good a network's output on a data set is, by the rule of its objective, and how that reads. */
import type { Dataset } from '../data/index.ts';
import { fourDigits } from '../files/index.ts';
import { type Objective, objectiveFor } from './objective.ts';
import type { Baseline, Mistake, Report, Score } from './rule.ts';
import { objectiveKinds, objectiveRuleFor, objectiveRuleOf } from './rule-of.ts';

/**
 * @param output of the network or of the exported file, row-major
 * @param objective what fits the data when omitted
 * @throws GraphError when the objective is for another kind of data; the others below do the same
 */
export const reportOn = (
  dataset: Dataset,
  output: Float32Array,
  objective: Objective = objectiveFor(dataset),
): Report => objectiveRuleFor(objective, dataset).report(output, dataset);

/** The worst first. */
export const mistakesOf = (
  dataset: Dataset,
  output: Float32Array,
  objective: Objective = objectiveFor(dataset),
): readonly Mistake[] => objectiveRuleFor(objective, dataset).mistakes(output, dataset);

export function baselineOf(objective: Objective, train: Dataset, test: Dataset): Baseline {
  objectiveRuleFor(objective, test);
  return objectiveRuleFor(objective, train).baseline(train, test);
}

/** `accuracy 98.82 % (always "Adelie": 44.12 %)   F1 0.9880` */
export function formatReport(objective: Objective, { metrics }: Report, baseline?: Baseline): string {
  const { score, measures } = objectiveRuleOf(objective);
  const always = baseline && ` (always ${baseline.answer}: ${score.format(baseline.score)})`;
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatOf(measures, name)(value)}${name === score.name ? (always ?? '') : ''}`)
    .join('   ');
}

/** A score from a file, which says its name: `accuracy`, `RMSE`. */
export const formatScore = (name: string, value: number): string =>
  formatOf(
    objectiveKinds.flatMap((kind) => objectiveRuleOf({ kind }).measures),
    name,
  )(value);

const formatOf = (measures: readonly Score[], name: string): Score['format'] =>
  measures.find((measure) => measure.name === name)?.format ?? fourDigits;
