/** Shows a training run in the terminal. */
import { at, elementCount } from '../../training/arrays/index.ts';
import { count } from '../../training/files/index.ts';
import { formatShape } from '../../training/graph/index.ts';
import { isTrained, layersOf, type Plan } from '../../training/network/index.ts';
import { type Evaluation, objectiveRuleOf, type Score } from '../../training/objective/index.ts';
import { sourceName } from '../../training/data/index.ts';
import type { NextTraining, RunReporter, RunStart } from '../../training/run/index.ts';
import type { EpochMetrics } from '../../training/trainer/index.ts';
import { describeData } from './describe-data.ts';
import { bar, duration, fittingParts, type StageLine, stageLine } from './stage.ts';
import { plainTable } from './table.ts';

/** Returns a table of layers, output shapes and numbers of parameters. Running statistics are not parameters. */
function summaryTable(plan: Plan): string {
  const layers = layersOf(plan);
  const table = plainTable(['layer', 'output', 'parameters'], ['layer', 'output']);
  const sizes = layers.map(({ tensors }) =>
    tensors
      .filter(isTrained)
      .map(({ shape }) => elementCount(shape))
      .reduce(add, 0),
  );
  table.push(['input', formatShape(plan.network.inputShape), '']);
  layers.forEach(({ name, outputShape }, i) => {
    const size = at(sizes, i);
    table.push([name, formatShape(outputShape), size > 0 ? count(size) : '']);
  });
  table.push(['', 'in all', count(sizes.reduce(add, 0))]);
  return table.toString();
}

/**
 * Returns a reporter that shows the current stage, in an epoch with the losses as a curve, and replaces it by the
 * epoch's metrics.
 */
export function terminalReporter(line: StageLine = stageLine('train')): RunReporter {
  let score: Score | undefined;
  let current: CurrentTraining | undefined;
  return {
    note: line.print,
    onStage: line.show,
    onStart: (run) => {
      for (const text of describeRun(run)) line.print(text);
      ({ score } = objectiveRuleOf(run.config.objective));
    },
    onTraining: (training) => {
      current = { ...training, losses: [], best: undefined, first: undefined, share: 0, lines: 0 };
    },
    onProgress: ({ epoch, share, loss }) => {
      if (!current) return;
      current.losses.push(loss);
      current.share = share;
      const now = performance.now();
      current.first ??= { time: now, share };
      const rate = (share - current.first.share) / (now - current.first.time);
      const secondsLeft = rate > 0 ? (1 - share) / rate / 1000 : undefined;
      line.show(progressLine({ ...current, epoch, share, loss, secondsLeft }, line.width));
    },
    onEpoch: (metrics) => {
      if (!current) return;
      const { validation } = metrics;
      const isBest = current.hasValidation && !(validation.loss >= (current.best ?? Infinity));
      if (isBest) current.best = validation.loss;
      const max = current.of === undefined ? maxLines : 1;
      const lines = Math.floor(max * current.share);
      const isFirst = metrics.epoch <= firstLines && current.of === undefined;
      if (!score || (current.epochs > max && lines === current.lines && !isFirst)) return;
      current.lines = lines;
      line.print(epochLine(metrics, current, score, line.width));
    },
    onStop: () => {
      line.clear();
    },
  };
}

/**
 * The maximum number of lines of a training: with more epochs, only some have a line. A training that only finds out how
 * long to learn has one line.
 */
const maxLines = 25;
/** The number of first epochs that have a line in any case, to show at once that training works. */
const firstLines = 3;

/** The training under way. */
interface CurrentTraining extends NextTraining {
  readonly losses: number[];
  /** The lowest validation loss so far. */
  best: number | undefined;
  /** The state at the first report, from which the rate is computed. */
  first: { readonly time: number; readonly share: number } | undefined;
  /** The share of the whole training that is done, and the number of lines printed for it. */
  share: number;
  lines: number;
}

export interface Progress {
  readonly of?: string | undefined;
  readonly epoch: number;
  readonly epochs: number;
  /** The share of the whole training. */
  readonly share: number;
  readonly loss: number;
  readonly losses: readonly number[];
  /** The lowest validation loss so far, and the seconds until training is complete, once they are known. */
  readonly best?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

/**
 * Returns as much as fits, the most important parts first.
 *
 * @param width in characters; undefined for a log, in which bars are of no use
 */
export function progressLine(progress: Progress, width: number | undefined): string {
  const { of = '', epoch, epochs, share, loss, losses, best, secondsLeft } = progress;
  const parts = [
    [of, 7],
    [`epoch ${epoch}/${epochs}`, 2],
    [width === undefined ? '' : bar(share), 1],
    [`${Math.floor(100 * share)} %`, 6],
    [`loss ${loss.toFixed(4)}`, 5],
    [best === undefined ? '' : `best ${best.toFixed(4)}`, 3],
    [width === undefined ? '' : sparkline(losses, 16), 0],
    [secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`, 4],
  ] as const;
  return fittingParts(parts, width);
}

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/**
 * Draws numbers from 0 on as a curve on a logarithmic scale, with one character for each of `width` equal shares of
 * them. The lowest bar also stands for 0, whose logarithm is infinite, and for NaN.
 */
export function sparkline(values: readonly number[], width: number): string {
  const columns = Math.min(width, values.length);
  const share = (column: number) => Math.floor((column * values.length) / columns);
  const logs = Array.from({ length: columns }, (_, i) => Math.log(mean(values.slice(share(i), share(i + 1)))));
  const finite = logs.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const height = (log: number) =>
    log > low ? Math.round(Math.min((log - low) / (high - low), 1) * (bars.length - 1)) : 0;
  return logs.map((log) => at(bars, height(log))).join('');
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function describeRun({ plan, source, data, config, engine }: RunStart): readonly string[] {
  const { train, validation, test, summary } = data;
  const [name, of] = [plan.network.name, sourceName(source)];
  const { objective, optimizer, learningRate, schedule, batchSize, bnMomentum, freezeBn, seed } = config;
  const statistics = freezeBn ? 'frozen' : `with momentum ${bnMomentum}`;
  return [
    `${name === of ? name : `${name} on ${of}`}: ${count(train.count)} train, ${count(validation.count)} validation, ${count(test.count)} test`,
    ...describeData(train, summary),
    summaryTable(plan),
    `${objective.kind}, ${optimizer}, learning rate ${learningRate} (${schedule}), batch ${batchSize}, running statistics ${statistics}, seed ${seed}`,
    engine,
  ];
}

/** The width of `100.00 %`. */
const scoreWidth = 8;

/**
 * Returns the line of an epoch. All lines of a training have the same layout, so that numbers are aligned.
 *
 * @param width in characters; unlimited by default
 */
export function epochLine(
  { epoch, train, validation, samplesPerSecond }: EpochMetrics,
  { epochs, hasValidation, of }: NextTraining,
  score: Score,
  width = Infinity,
): string {
  const part = (of: Evaluation, name: string) =>
    `${of.loss.toFixed(4)}  ${name}${score.format(of.score).padStart(scoreWidth)}`;
  const number = `${of === undefined ? '' : `${of}  `}epoch ${`${epoch}/${epochs}`.padEnd(2 * String(epochs).length + 1)}`;
  const parts = (name: string) => [
    `train ${part(train, name)}`,
    ...(hasValidation ? [`validation ${part(validation, name)}`] : []),
  ];
  const named = [number, ...parts(`${score.name} `)];
  // The least important parts are left out first.
  const lines = [
    [...named, `${count(samplesPerSecond)} samples/s`],
    named,
    [number, ...parts('')],
    [number, ...parts('').slice(-1)],
  ].map((each) => each.join('   '));
  return lines.find((line) => line.length <= width) ?? lines.at(-1) ?? '';
}

const add = (a: number, b: number): number => a + b;
