/** Prints the lines that end a training run, and returns its result. */
import { join } from 'node:path';
import { count, fourDigits } from '../../training/files/index.ts';
import { formatReport, isBetter, objectiveRuleOf, scoresIn } from '../../training/objective/index.ts';
import { scoreOfFolds, type TrainedRun } from '../../training/run/index.ts';
import type { TrainingConfig } from '../../training/trainer/index.ts';
import { writePredictions } from './predictions.ts';
import type { Answer } from './subcommand.ts';
import { inLines } from './table.ts';

/** Says how the saved network was chosen. */
type Choice = Pick<TrainingConfig, 'statistics' | 'keep'>;

export async function printOutcome(run: TrainedRun, { statistics = 'running', keep }: Choice): Promise<Answer> {
  const { folder, checkpoint, objective, test, tested, baseline, linear, found, history, bestEpoch } = run;
  const isMeasured = Object.keys(test.metrics).length > 0;
  const scores = scoresIn(objective, test);
  if (isMeasured) {
    printParts('test', [...scores, `of ${count(tested)} samples, with ${statistics} statistics`], '   ');
    for (const [name, parts] of compared(run)) printParts(name, parts, ', ');
  } else printParts('test', ['none', ...scores, '--test-share keeps some'], ', ');
  printParts('kept', chosen(run, keep), ', ');
  const outOfFold = await writeOutOfFold(run);
  printParts('saved', [checkpoint]);
  printParts('next', [`npx bn-edge evaluate ${folder}`, `npx bn-edge export ${folder}`], ', ');
  return {
    run: folder,
    checkpoint,
    scores: test.metrics,
    ...(isMeasured && {
      risk: { name: objectiveRuleOf(objective).risk.name, value: run.risk },
      baseline,
      ...(linear !== undefined && { linear }),
    }),
    epochs: history.length,
    bestEpoch,
    ...(found && { found: { epoch: found.epoch, epochs: found.epochs, steps: found.stopAfter } }),
    ...outOfFold,
  };
}

const nameWidth = 9;

function printParts(name: string, [first = '', ...others]: readonly string[], between = ' '): void {
  const start = `${name.padEnd(nameWidth)}${first}${others.length > 0 ? between : ''}`;
  console.log(inLines(others, { start, between, indent: ' '.repeat(nameWidth) }));
}

/** Says which epoch the network is of, and by what it was chosen. */
function chosen({ history, bestEpoch, found }: TrainedRun, keep: TrainingConfig['keep']): readonly string[] {
  const { length } = history;
  if (found) {
    const by = found.outOfFold ? `${found.outOfFold.scores.length} folds` : 'the validation part';
    return [
      `${count(found.stopAfter)} of ${count(found.steps)} steps on all but the test part`,
      `for epoch ${found.epoch} of ${found.epochs} is the best by ${by}`,
    ];
  }
  if (bestEpoch > 0 && keep === 'last')
    return [`the last of ${length} epochs, by --keep last`, `epoch ${bestEpoch} was the best by validation loss`];
  return bestEpoch > 0
    ? [`epoch ${bestEpoch} of ${length}, the best by validation loss`]
    : [`the last of ${length} epochs, as there is no validation part`];
}

/** The number of rows below which scores differ by chance. */
const minReliableRows = 30;

/** A model that needs no network, and its results. */
interface Rival {
  readonly name: string;
  readonly score: number;
  readonly risk?: number;
}

/** Compares the results with those of models that need no network, and says whether the network is worth having. */
function compared({
  objective,
  test,
  risk,
  tested,
  baseline,
  linear,
}: TrainedRun): readonly [string, readonly string[]][] {
  const { score, risk: other } = objectiveRuleOf(objective);
  const rivals: readonly Rival[] = [
    { ...baseline, name: `always ${baseline.answer}` },
    ...(linear === undefined ? [] : [{ ...linear, name: 'a linear model' }]),
  ];
  const unbeaten = rivals.filter((rival) => !isBetter(objective, test, { answer: '', score: rival.score }));
  const doubt = tested < minReliableRows ? [`though ${count(tested)} samples show little`] : [];
  return [
    ['beside', rivals.map((one, i) => `${i === 0 ? `${score.name} ` : ''}${score.format(one.score)} of ${one.name}`)],
    ['verdict', [...verdictOn(unbeaten, score.name, other.name, risk), ...doubt]],
  ];
}

/** Compares by the risk as well: accuracy hardly shows how well a network predicts a rare class. */
function verdictOn(unbeaten: readonly Rival[], score: string, risk: string, own: number): readonly string[] {
  const names = (rivals: readonly Rival[]) => rivals.map(({ name }) => name).join(' and ');
  if (unbeaten.length === 0) return ['better than these'];
  const neither = score === risk ? unbeaten : unbeaten.filter((rival) => !(own < (rival.risk ?? NaN)));
  if (neither.length > 0) return [`no better than ${names(neither)}`, 'which would do here'];
  const risks = unbeaten.map((rival) => fourDigits(rival.risk ?? NaN)).join(' and ');
  return [`by ${score} no better than ${names(unbeaten)}`, `but by ${risk}: ${fourDigits(own)} against ${risks}`];
}

/** Writes the answers of networks to samples that they were not trained on, and says how far these networks differ. */
async function writeOutOfFold({ folder, objective, found }: TrainedRun): Promise<object> {
  if (!found?.outOfFold) return {};
  const { samples, answers, report, scores } = found.outOfFold;
  const path = join(folder, 'out-of-fold.csv');
  await writePredictions(path, samples, answers, objective);
  const all = `all in one ${formatReport(objective, report)}`;
  printParts('folds', [scoreOfFolds(found.outOfFold, { objective }), all, `in ${path}`], ', ');
  return { folds: { scores, metrics: report.metrics, predictions: path } };
}
