/** What a training run shows in the terminal. */
import { count, elementCount } from '../../training/files/index.ts';
import { formatShape } from '../../training/graph/index.ts';
import { isTrained, layersOf, type Plan } from '../../training/network/index.ts';
import { type Evaluation, objectiveRuleOf, type Score } from '../../training/objective/index.ts';
import { sourceName } from '../../training/data/index.ts';
import type { RunReporter, RunStart } from '../../training/run/index.ts';
import type { EpochMetrics } from '../../training/trainer/index.ts';
import { describeData } from './describe-data.ts';
import { sparkline } from './sparkline.ts';
import { bar, duration, fitted, type StageLine, stageLine } from './stage.ts';
import { plainTable } from './table.ts';

/** Layer, output shape, parameters; running statistics are not parameters. */
export function summaryTable(plan: Plan): string {
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
    table.push([name, formatShape(outputShape), sizes[i] ? count(sizes[i]) : '']);
  });
  table.push(['', 'in all', count(sizes.reduce(add, 0))]);
  return table.toString();
}

/** Shows what the run is at, in an epoch with the losses as a curve, and replaces it by the epoch's metrics. */
export function terminalReporter(line: StageLine = stageLine('train')): RunReporter {
  let [epochs, samplesPerEpoch] = [0, 0];
  let score: Score | undefined;
  let hasValidation = false;
  const losses: number[] = [];
  let first: { readonly epoch: number; readonly time: number; readonly samples: number } | undefined;
  return {
    note: line.print,
    onStage: line.show,
    onStart: (run) => {
      for (const text of describeRun(run)) line.print(text);
      ({ epochs } = run.config);
      ({ score } = objectiveRuleOf(run.config.objective));
      hasValidation = run.data.validation.count > 0;
      samplesPerEpoch = Math.floor(run.data.train.count / run.config.batchSize) * run.config.batchSize;
    },
    onProgress: ({ epoch, samples, loss }) => {
      losses.push(loss);
      const now = performance.now();
      if (first?.epoch !== epoch) first = { epoch, time: now, samples };
      const rate = now > first.time ? (samples - first.samples) / ((now - first.time) / 1000) : undefined;
      const progress = { epoch, epochs, share: samples / samplesPerEpoch, loss, losses };
      const left = rate ? (samplesPerEpoch - samples) / rate : undefined;
      line.show(progressLine({ ...progress, rate, secondsLeft: left }, line.width));
    },
    onEpoch: (metrics) => {
      if (score) line.print(epochLine(metrics, epochs, score, hasValidation, line.width));
    },
    onStop: () => {
      line.clear();
    },
  };
}

export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Of the epoch. */
  readonly share: number;
  readonly loss: number;
  readonly losses: readonly number[];
  /** Samples a second, and seconds until the epoch is complete, once they are known. */
  readonly rate?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

/** As much as fits, the most telling first. @param width in characters; undefined where nobody looks on, and pictures are of no use */
export function progressLine(progress: Progress, width: number | undefined): string {
  const { epoch, epochs, share, loss, losses, rate, secondsLeft } = progress;
  const parts = [
    [`epoch ${epoch}/${epochs}`, 6],
    [width === undefined ? '' : bar(share), 2],
    [`${Math.floor(100 * share)} %`, 5],
    [`loss ${loss.toFixed(4)}`, 4],
    [width === undefined ? '' : sparkline(losses, 16), 0],
    [rate === undefined ? '' : `${count(rate)} samples/s`, 1],
    [secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`, 3],
  ] as const;
  return fitted(parts, width);
}

function describeRun({ plan, source, data, config, backend }: RunStart): readonly string[] {
  const { train, validation, test, summary } = data;
  const [name, of] = [plan.network.name, sourceName(source)];
  const { objective, optimizer, learningRate, schedule, batchSize, bnMomentum, freezeBn, seed } = config;
  const statistics = freezeBn ? 'frozen' : `with momentum ${bnMomentum}`;
  return [
    `${name === of ? name : `${name} on ${of}`}: ${count(train.count)} train, ${count(validation.count)} validation, ${count(test.count)} test`,
    ...describeData(train, summary),
    summaryTable(plan),
    `${objective.kind}, ${optimizer}, learning rate ${learningRate} (${schedule}), batch ${batchSize}, running statistics ${statistics}, seed ${seed}`,
    backend.engine,
  ];
}

/** `100.00 %` */
const scoreWidth = 8;

/** All of a training are as wide, so that numbers stand below each other. @param width in characters; undefined where there is no end */
export function epochLine(
  { epoch, train, validation, samplesPerSecond }: EpochMetrics,
  epochs: number,
  score: Score,
  hasValidation: boolean,
  width = Infinity,
): string {
  const part = (of: Evaluation, name: string) =>
    `${of.loss.toFixed(4)}  ${name}${score.format(of.score).padStart(scoreWidth)}`;
  const number = `epoch ${`${epoch}/${epochs}`.padEnd(2 * String(epochs).length + 1)}`;
  const parts = (name: string) => [
    `train ${part(train, name)}`,
    ...(hasValidation ? [`validation ${part(validation, name)}`] : []),
  ];
  const named = [number, ...parts(`${score.name} `)];
  // What tells least is left out first.
  const lines = [
    [...named, `${count(samplesPerSecond)} samples/s`],
    named,
    [number, ...parts('')],
    [number, ...parts('').slice(-1)],
  ].map((each) => each.join('   '));
  return lines.find((line) => line.length <= width) ?? lines.at(-1) ?? '';
}

const add = (a: number, b: number): number => a + b;
