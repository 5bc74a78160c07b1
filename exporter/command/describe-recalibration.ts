/** Describes a recalibration: how far the statistics have moved, and how the answers have changed. */
import { count, percent } from '../../training/files/index.ts';
import type { Score } from '../../training/objective/index.ts';
import type { AnswerChanges } from '../recalibration/answers.ts';
import type { Facts } from '../recalibration/recalibrate.ts';
import type { Moved } from '../recalibration/statistics.ts';
import { plainTable } from './table.ts';

/** @param measure the score by which the model is judged */
export function describeRecalibration(facts: Facts, changes: AnswerChanges, measure: Score): string {
  const { data, samples, prior, score, layers } = facts;
  const former =
    prior === 0 ? 'the former statistics count for nothing' : `the former ones count for ${count(prior)} more`;
  return [
    `measured        on ${count(samples)} samples of ${data}; ${former}`,
    layerTable(layers),
    ...answerLines(changes),
    score
      ? `${score.name.padEnd(16)}${measure.format(score.before)} -> ${measure.format(score.after)}`
      : `${measure.name.padEnd(16)}unknown: the samples have no labels, or no answer is a number`,
  ].join('\n');
}

function layerTable(layers: readonly Moved[]): string {
  const shown = plainTable(['layer', 'channels', 'mean moved by', 'at most', 'variance times', 'min', 'max']);
  for (const { name, channels, mean, variance } of layers) {
    const { average, smallest, largest } = variance;
    const moved = [mean.average, mean.largest].map((sigmas) => `${sigmas.toFixed(2)} σ`);
    shown.push([name, count(channels), ...moved, ...[average, smallest, largest].map((ratio) => ratio.toPrecision(3))]);
  }
  return shown.toString();
}

function answerLines(changes: AnswerChanges): readonly string[] {
  if (changes.kind === 'numbers') {
    const { meanDifference, deviation } = changes;
    const spread = `their standard deviation was ${deviation.toPrecision(3)}`;
    return [`answers         differ by ${meanDifference.toPrecision(3)} in the mean; ${spread}`];
  }
  const { agreement, entropy } = changes;
  const [before, after] = [entropy.before, entropy.after].map((nats) => nats.toFixed(3));
  const trend =
    before === after ? 'as decided as before' : `${entropy.after < entropy.before ? 'more' : 'less'} decided`;
  return [
    `answers         ${percent(agreement)} get the same class as before`,
    `entropy         ${before} -> ${after} nats in the mean: the model is ${trend}`,
  ];
}
