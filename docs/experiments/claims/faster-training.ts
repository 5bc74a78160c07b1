/** Tests claim 2: normalizing the z of hidden layers makes the next layers' W and b train faster. */
import * as Plot from '@observablehq/plot';
import { at } from '../../../training/arrays/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { createEvaluator } from '../../../training/trainer/index.ts';
import { experiment, type Finding, finding } from '../experiment.ts';
import { firstOf, type Lab } from '../lab/lab.ts';
import { denseNetwork } from '../lab/networks.ts';
import { pairs } from '../lab/range.ts';
import { clearlyBelow, mean } from '../lab/statistics.ts';
import { training } from '../lab/training.ts';
import { type Panel, panel, repeats, type Series, without, withNorm, summarize } from '../report/figure.ts';
import { list, number, percent, spread } from '../report/format.ts';

interface Trial {
  readonly depth: number;
  readonly batchNorm: boolean;
  readonly learningRate: number;
  readonly seed: number;
}

interface Run extends Trial {
  /** Counts the steps to the target accuracy; null when it was not reached. */
  readonly steps: number | null;
  /** Is true when the loss became NaN, or was no better than guessing at the end. */
  readonly diverged: boolean;
}

interface Results {
  readonly target: number;
  readonly limit: number;
  readonly every: number;
  readonly images: number;
  readonly width: number;
  readonly runs: readonly Run[];
}

const width = 100;
/** The loss of guessing among ten classes: ln 10. */
const guessing = Math.log(10);

async function measure(lab: Lab): Promise<Results> {
  const setup = {
    target: lab.pick(0.97, 0.93),
    limit: lab.pick(3000, 400),
    every: lab.pick(40, 20),
    images: lab.pick(2000, 1000),
    width,
  };
  const rates = lab.pick([0.03, 0.1, 0.3, 1, 3, 10], [0.03, 0.3, 3]);
  const networks = pairs(lab.pick([2, 5, 10], [5]), [true, false]);
  const trials = pairs(networks, pairs(rates, lab.seeds(3, 2))).map(
    ([[depth, batchNorm], [learningRate, seed]]): Trial => ({ depth, batchNorm, learningRate, seed }),
  );
  return { ...setup, runs: await lab.each(trials, (trial) => run(lab, trial, setup)) };
}

async function run(lab: Lab, trial: Trial, setup: Omit<Results, 'runs'>): Promise<Run> {
  const { learningRate, seed } = trial;
  const network = denseNetwork({ ...trial, width });
  const evaluator = await createEvaluator(lab.backend, planNetwork(network));
  const images = firstOf(lab.data.validation, setup.images);
  const settings = { optimizer: 'sgd', learningRate, seed, steps: setup.limit, every: setup.every } as const;
  let last = NaN;
  for await (const { step, loss, tensors } of training(lab, network, settings)) {
    last = loss;
    if (!Number.isFinite(loss)) break;
    // A network whose loss is far from the target's need not be evaluated.
    if (loss > 0.5) continue;
    const { score: accuracy } = await evaluator.evaluate(tensors, images);
    if (accuracy >= setup.target) return { ...trial, steps: step, diverged: false };
  }
  return { ...trial, steps: null, diverged: !(last < 0.9 * guessing) };
}

export const fasterTraining = experiment<Results>({
  name: 'faster-training',
  title: 'Normalized hidden layers train faster',
  claim: 'Normalizing the $z$ of hidden layers makes the $W$ and $b$ of the next train faster.',
  consequence:
    'Use Batch Norm in networks that are deep, and try larger learning rates with it: those are what saves the steps.',
  measure,
  describe: (results) => {
    const { target, limit, every, images, runs } = results;
    const depths = distinct(runs.map(({ depth }) => depth));
    const rates = distinct(runs.map(({ learningRate }) => learningRate));
    const seeds = distinct(runs.map(({ seed }) => seed)).length;
    return {
      method: [
        `Networks of ${list(depths.map(String))} hidden layers of ${width} ReLU units, with and without Batch Norm, were trained by plain gradient descent on mini-batches of 64 at ${rates.length} learning rates from ${at(rates, 0)} to ${at(rates, rates.length - 1)}, ${seeds} seeds each, until ${percent(target, 0)} of ${number(images, 5)} validation images were right (looked at every ${every} steps), or for ${number(limit, 4)} steps.`,
      ],
      findings: [...depths.map((depth) => fewerSteps(depth, results)), widerRange(depths, runs)],
      figures: [
        {
          caption: `Steps to ${percent(target, 0)} by learning rate, mean and standard deviation of the seeds that got there. A cross at the top marks a rate at which at least one seed diverged: its loss became infinite, or stayed at guessing.`,
          legend: [withNorm, without],
          panels: depths.map((depth) => depthPanel(depth, results)),
        },
      ],
    };
  },
});

const distinct = (values: readonly number[]): readonly number[] => [...new Set(values)].toSorted((a, b) => a - b);

const ofNetwork = (runs: readonly Run[], depth: number, batchNorm: boolean) =>
  runs.filter((run) => run.depth === depth && run.batchNorm === batchNorm);

interface Best {
  readonly learningRate: number;
  readonly steps: readonly number[];
}

/** Returns the rate at which every seed reached the target in the fewest steps; undefined when there is none. */
function bestRate(runs: readonly Run[]): Best | undefined {
  return allReached(runs).toSorted((a, b) => mean(a.steps) - mean(b.steps))[0];
}

/** Returns the rates at which every seed reached the target. */
function allReached(runs: readonly Run[]): readonly Best[] {
  return distinct(runs.map(({ learningRate }) => learningRate)).flatMap((learningRate) => {
    const steps = runs.filter((run) => run.learningRate === learningRate).map((run) => run.steps);
    const reached = steps.filter((count) => count !== null);
    return reached.length === steps.length ? [{ learningRate, steps: reached }] : [];
  });
}

function fewerSteps(depth: number, { runs, limit }: Results): Finding {
  const [norm, plain] = [bestRate(ofNetwork(runs, depth, true)), bestRate(ofNetwork(runs, depth, false))];
  const faster = norm !== undefined && (plain === undefined || clearlyBelow(norm.steps, plain.steps));
  const describe = (best: Best | undefined) =>
    best
      ? `${spread(best.steps)} steps at its best rate, ${best.learningRate}`
      : `no rate at which every seed gets there in ${number(limit, 4)} steps`;
  const text = `${depth} layers, with Batch Norm: ${describe(norm)}; without: ${describe(plain)}`;
  return finding(`depth-${depth}`, faster, `${text}.`, `${text}; not clearly fewer.`);
}

function widerRange(depths: readonly number[], runs: readonly Run[]): Finding {
  const counts = (batchNorm: boolean) => depths.map((depth) => allReached(ofNetwork(runs, depth, batchNorm)).length);
  const [norm, plain] = [counts(true), counts(false)];
  const largest = (batchNorm: boolean) => {
    const stable = distinct(runs.map(({ learningRate }) => learningRate)).filter((rate) =>
      runs.every((run) => run.batchNorm !== batchNorm || run.learningRate !== rate || !run.diverged),
    );
    return stable.at(-1) ?? NaN;
  };
  const rates = distinct(runs.map(({ learningRate }) => learningRate)).length;
  const text = `Of ${rates} rates every seed gets there at ${list(norm.map(String))} with Batch Norm, at ${list(plain.map(String))} without (${list(depths.map(String))} layers). The largest rate at which no network diverges is ${largest(true)} with Batch Norm and ${largest(false)} without`;
  return finding(
    'rates',
    norm.every((count, i) => count > at(plain, i)),
    `More rates are right. ${text}.`,
    `${text}: the range is not wider at every depth.`,
  );
}

function depthPanel(depth: number, { runs, limit }: Results): Panel {
  const marksOf = (batchNorm: boolean, series: Series) => {
    const own = ofNetwork(runs, depth, batchNorm);
    const reached = own.flatMap(({ learningRate, steps }) => (steps === null ? [] : [{ x: learningRate, y: steps }]));
    const diverged = distinct(own.filter((run) => run.diverged).map(({ learningRate }) => learningRate));
    return [
      ...repeats(summarize(reached), series),
      Plot.text(diverged, {
        x: (rate: number) => rate * (batchNorm ? 1.12 : 0.89),
        y: () => limit * 1.08,
        text: () => '×',
        fill: series.colour,
        fontSize: 17,
        fontWeight: 700,
      }),
    ];
  };
  return panel({
    title: `${depth} hidden layers`,
    width: 270,
    alt: `Steps to the target by learning rate, ${depth} hidden layers`,
    x: { type: 'log', label: 'learning rate', domain: [0.02, 15], ticks: 3, tickFormat: String },
    y: { label: 'steps', grid: true, domain: [0, limit * 1.1] },
    marks: [marksOf(false, without), marksOf(true, withNorm)],
  });
}
