/** What a training run came to, in the lines that end it. */
import { join } from 'node:path';
import { formatReport, isBetter, objectiveRuleOf } from '../../training/objective/index.ts';
import { scoreOfFolds, type TrainedRun } from '../../training/run/index.ts';
import type { TrainingConfig } from '../../training/trainer/index.ts';
import { writePredictions } from './predictions.ts';
import type { Answer } from './subcommand.ts';

export async function tellOutcome(
  run: TrainedRun,
  { statistics = 'running', keep }: Pick<TrainingConfig, 'statistics' | 'keep'>,
): Promise<Answer> {
  const { folder, checkpoint, objective, test, baseline, linear, found, history, bestEpoch } = run;
  const isMeasured = Object.keys(test.metrics).length > 0;
  const result = formatReport(objective, test, isMeasured ? baseline : undefined);
  console.log(
    isMeasured ? `test ${result} with ${statistics} statistics` : `not tested: ${result} (--test-share keeps some)`,
  );
  console.log(chosen(run, keep) + (isMeasured ? `; ${compared(run)}` : ''));
  const outOfFold = await writeOutOfFold(run);
  console.log(`saved ${checkpoint}\nnext  npx bn-edge evaluate ${folder}, npx bn-edge export ${folder}`);
  return {
    run: folder,
    checkpoint,
    scores: test.metrics,
    ...(isMeasured && { baseline, ...(linear !== undefined && { linear: { score: linear } }) }),
    epochs: history.length,
    bestEpoch,
    ...(found && { found: { epoch: found.epoch, epochs: found.epochs, steps: found.stopAfter } }),
    ...outOfFold,
  };
}

/** Which epoch the network is of, and who says so. */
function chosen({ history, bestEpoch, found }: TrainedRun, keep: TrainingConfig['keep']): string {
  const { length } = history;
  if (found) {
    const by = found.outOfFold ? `${found.outOfFold.scores.length} folds` : 'the validation part';
    return `learnt from all but the test part for ${found.stopAfter} of ${found.steps} steps, epoch ${found.epoch} of ${found.epochs} being the best by ${by}`;
  }
  if (bestEpoch > 0 && keep === 'last')
    return `kept the last of ${length} epochs, as told; epoch ${bestEpoch} was the best by validation loss`;
  return bestEpoch > 0
    ? `kept epoch ${bestEpoch} of ${length}, the best by validation loss`
    : `kept the last of ${length} epochs, as there is no validation part`;
}

/** Whether the network is worth having. */
function compared({ objective, test, baseline, linear }: TrainedRun): string {
  const { score } = objectiveRuleOf(objective);
  const rivals = [
    { name: `always answering ${baseline.answer}`, value: baseline.score },
    ...(linear === undefined ? [] : [{ name: 'a linear model', value: linear }]),
  ].map(({ name, value }) => ({
    text: `${name} (${score.name} ${score.format(value)})`,
    isBeaten: isBetter(objective, test, { answer: name, score: value }),
  }));
  const unbeaten = rivals.filter(({ isBeaten }) => !isBeaten).map(({ text }) => text);
  if (unbeaten.length > 0) return `no better than ${unbeaten.join(' and ')}, which would do here`;
  return `better than ${rivals.map(({ text }) => text).join(' and ')}`;
}

/** The answers of networks that have not seen what they answer, and how far these go apart. */
async function writeOutOfFold({ folder, objective, found }: TrainedRun): Promise<object> {
  if (!found?.outOfFold) return {};
  const { samples, answers, report, scores } = found.outOfFold;
  const path = join(folder, 'out-of-fold.csv');
  await writePredictions(path, samples, answers, objective);
  console.log(
    `${scores.length} folds: ${scoreOfFolds(found.outOfFold, { objective })}; all of them ${formatReport(objective, report)}, in ${path}`,
  );
  return { folds: { scores, metrics: report.metrics, predictions: path } };
}
