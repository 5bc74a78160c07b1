/** What a training run shows in the terminal. */
import { SingleBar } from 'cli-progress';
import { count, elementCount } from '../../training/files/index.ts';
import { formatShape } from '../../training/graph/index.ts';
import { isTrained, layersOf, type Plan } from '../../training/network/index.ts';
import { type Evaluation, objectiveRuleOf, type Score } from '../../training/objective/index.ts';
import { sourceName } from '../../training/data/index.ts';
import type { RunReporter, RunStart } from '../../training/run/index.ts';
import type { EpochMetrics } from '../../training/trainer/index.ts';
import { describeData } from './describe-data.ts';
import { sparkline } from './sparkline.ts';
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

/**
 * Draws a bar for each epoch with the run's losses as a curve, and replaces it by the epoch's metrics. Without a terminal only
 * these are printed.
 */
export function terminalReporter(print: (line: string) => void): RunReporter {
  let [bar, epochs, samplesPerEpoch] = [progressBar(0), 0, 0];
  let score: Score | undefined;
  let hasValidation = false;
  const losses: number[] = [];
  let first = { time: 0, samples: 0 };
  return {
    note: print,
    onStart: (run) => {
      for (const line of describeRun(run)) print(line);
      ({ epochs } = run.config);
      ({ score } = objectiveRuleOf(run.config.objective));
      hasValidation = run.data.validation.count > 0;
      samplesPerEpoch = Math.floor(run.data.train.count / run.config.batchSize) * run.config.batchSize;
      bar = progressBar(epochs);
    },
    onProgress: ({ epoch, samples, loss }) => {
      losses.push(loss);
      const shown = { epoch, loss: loss.toFixed(4), curve: sparkline(losses, 16) };
      if (!bar.isActive) {
        bar.start(samplesPerEpoch, samples, { ...shown, rate: '–' });
        first = { time: performance.now(), samples };
        return;
      }
      const rate = (samples - first.samples) / ((performance.now() - first.time) / 1000);
      bar.update(samples, { ...shown, rate: count(rate) });
    },
    onEpoch: (metrics) => {
      bar.stop();
      if (score) print(epochLine(metrics, epochs, score, hasValidation));
    },
    onStop: () => {
      bar.stop();
    },
  };
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

function progressBar(epochs: number): SingleBar {
  return new SingleBar({
    format: `epoch {epoch}/${epochs} {bar} {percentage} %  loss {loss} {curve}  {rate} samples/s  {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 16,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 20,
    gracefulExit: false,
  });
}

function epochLine(
  { epoch, train, validation, samplesPerSecond }: EpochMetrics,
  epochs: number,
  score: Score,
  hasValidation: boolean,
): string {
  const part = (of: Evaluation) => `${of.loss.toFixed(4)}  ${score.name} ${score.format(of.score)}`;
  const number = `${epoch}/${epochs}`;
  const held = hasValidation ? `   validation ${part(validation)}` : '';
  return `epoch ${number}   train ${part(train)}${held}   ${count(samplesPerSecond)} samples/s`;
}

const add = (a: number, b: number): number => a + b;
