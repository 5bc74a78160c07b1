/** Judges a network's output on a data set by the rule of its objective, and formats the result. */
import { at } from '../arrays/index.ts';
import { type Dataset, subset } from '../data/index.ts';
import { count, fourDigits } from '../files/index.ts';
import { type Objective, objectiveFor } from './objective.ts';
import type { Baseline, CheckedReport, Mistake, AnswerRule, Report, Score } from './rule.ts';
import { objectiveKinds, objectiveRuleFor, objectiveRuleOf } from './rule-of.ts';

/**
 * Reports on the samples whose answers are finite numbers; without samples there are no metrics.
 *
 * @param output of the network or of the exported file, row-major
 * @param objective by default the one that fits the data
 * @throws GraphError when the objective is for another kind of data; so do the functions below
 */
export function reportOn(
  dataset: Dataset,
  output: Float32Array,
  objective: Objective = objectiveFor(dataset),
  answerRule: AnswerRule = {},
): CheckedReport {
  const { report } = objectiveRuleFor(objective, dataset);
  const finite = finiteRows(output, dataset.count);
  const nonFinite = dataset.count - finite.length;
  if (finite.length === 0) return { metrics: {}, confusion: undefined, nonFinite };
  const { metrics, ...others } =
    nonFinite === 0
      ? report(output, dataset, answerRule)
      : report(rowsOf(output, dataset.count, finite), subset(dataset, finite), answerRule);
  return { metrics: defined(metrics), ...others, nonFinite };
}

/** Removes metrics that the samples do not define, such as the area of a class that all of them have. */
const defined = (metrics: Report['metrics']): Report['metrics'] =>
  Object.fromEntries(Object.entries(metrics).filter(([, value]) => !Number.isNaN(value)));

/** Returns the mistakes, worst first: answers that are not numbers, then the rule's order. */
export function mistakesOf(
  dataset: Dataset,
  output: Float32Array,
  objective: Objective = objectiveFor(dataset),
  answerRule: AnswerRule = {},
): readonly Mistake[] {
  const { mistakes, expected } = objectiveRuleFor(objective, dataset);
  const finite = finiteRows(output, dataset.count);
  if (finite.length === dataset.count) return mistakes(output, dataset, answerRule);
  const isFinite = new Set(finite);
  const without = [...Array(dataset.count).keys()].filter((sample) => !isFinite.has(sample));
  const others =
    finite.length > 0 ? mistakes(rowsOf(output, dataset.count, finite), subset(dataset, finite), answerRule) : [];
  return [
    ...without.map((sample) => ({ sample, expected: expected(dataset, sample), got: 'not a number', detail: '' })),
    ...others.map((mistake) => ({ ...mistake, sample: at(finite, mistake.sample) })),
  ];
}

/**
 * Returns the indices of samples whose numbers are all finite.
 *
 * @param output row-major, of `samples` rows
 */
export function finiteRows(output: Float32Array, samples: number): Int32Array {
  const width = output.length / samples;
  const isFinite = new Uint8Array(samples).fill(1);
  output.forEach((value, i) => {
    if (!Number.isFinite(value)) isFinite[Math.floor(i / width)] = 0;
  });
  return Int32Array.from(isFinite.keys()).filter((sample) => isFinite[sample] === 1);
}

/**
 * Returns the numbers of some rows.
 *
 * @param output row-major, of `samples` rows
 */
export function rowsOf(output: Float32Array, samples: number, rows: Int32Array): Float32Array {
  const width = output.length / samples;
  const kept = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    kept.set(output.subarray(row * width, (row + 1) * width), i * width);
  });
  return kept;
}

/**
 * Returns the risk by the rule of the objective, such as the log loss.
 *
 * @param output of the network, row-major
 */
export const riskOn = (dataset: Dataset, output: Float32Array, objective: Objective): number =>
  objectiveRuleFor(objective, dataset).risk.of(output, dataset);

export function baselineOf(objective: Objective, train: Dataset, test: Dataset): Baseline {
  objectiveRuleFor(objective, test);
  return objectiveRuleFor(objective, train).baseline(train, test);
}

/** Is true where the score is better than that of always giving the same answer. */
export function isBetter(objective: Objective, { metrics }: Pick<Report, 'metrics'>, baseline: Baseline): boolean {
  const { score } = objectiveRuleOf(objective);
  const reached = metrics[score.name] ?? NaN;
  return score.better === 'higher' ? reached > baseline.score : reached < baseline.score;
}

/** Formats a report in one line: `accuracy 98.82 % (always "Adelie": 44.12 %)   F1 0.9880`. */
export const formatReport = (...of: Parameters<typeof scoresIn>): string => scoresIn(...of).join('   ');

/** Formats each of the scores. */
export function scoresIn(objective: Objective, report: Report | CheckedReport, baseline?: Baseline): readonly string[] {
  const { score, measures } = objectiveRuleOf(objective);
  const always = baseline && ` (always ${baseline.answer}: ${score.format(baseline.score)})`;
  const texts = Object.entries(report.metrics).map(
    ([name, value]) => `${name} ${formatOf(measures, name)(value)}${name === score.name ? (always ?? '') : ''}`,
  );
  const nonFinite = 'nonFinite' in report ? report.nonFinite : 0;
  const without = nonFinite > 0 ? [`without ${count(nonFinite)} samples whose answer is not a number`] : [];
  const all = [...texts, ...without];
  return all.length > 0 ? all : ['no samples'];
}

/** Formats a score from a file by its name: `accuracy`, `RMSE`. */
export const formatScore = (name: string, value: number): string =>
  formatOf(
    objectiveKinds.flatMap((kind) => objectiveRuleOf({ kind }).measures),
    name,
  )(value);

const formatOf = (measures: readonly Score[], name: string): Score['format'] =>
  measures.find((measure) => measure.name === name)?.format ?? fourDigits;
