/** Tests claim 9: at test time samples come one by one, so μ and σ² have to be estimated before. */
import * as Plot from '@observablehq/plot';
import { symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { at, present } from '../../../training/arrays/index.ts';
import { type ClassificationDataset, createRandom, subset } from '../../../training/data/index.ts';
import { predictions } from '../../../training/objective/index.ts';
import { type Plan, planNetwork } from '../../../training/network/index.ts';
import { createEvaluator, populationStatistics, type State } from '../../../training/trainer/index.ts';
import { experiment, finding } from '../experiment.ts';
import { type Quality, qualityOf } from '../lab/calibration.ts';
import { foldNorms, withoutNorms } from '../lab/folding.ts';
import { firstOf, type Lab } from '../lab/lab.ts';
import { mlp } from '../lab/networks.ts';
import { createStatisticsProbe, type LayerStatistics } from '../lab/probe.ts';
import { range } from '../lab/range.ts';
import { clearlyBelow, deviation, largestDifference, mean } from '../lab/statistics.ts';
import { trained } from '../lab/training.ts';
import {
  colours,
  type Panel,
  panel,
  repeats,
  type Series,
  type Summary,
  withNorm,
  summarize,
} from '../report/figure.ts';
import { list, number, percent, percentSpread } from '../report/format.ts';

const network = mlp({ batchNorm: true });
const layer = 'bn2';
const batchSize = 64;
const momenta = [0.5, 0.9, 0.99, 'none'] as const;
type Momentum = (typeof momenta)[number];

interface Results {
  readonly steps: number;
  readonly testImages: number;
  readonly passImages: number;
  readonly runs: readonly Run[];
}

/** Holds the results of one trained network. */
interface Run {
  readonly seed: number;
  readonly running: Quality;
  readonly fullPass: Quality;
  readonly miniBatches: readonly (Quality & { readonly size: number })[];
  readonly convergence: readonly Convergence[];
  readonly folded: { readonly largestDifference: number; readonly largestLogit: number; readonly otherClasses: number };
}

/** Describes a running average that starts at μ = 0, σ² = 1 and follows mini-batches of the finished network. */
interface Convergence {
  readonly momentum: Momentum;
  /** Holds, after each of `convergenceSteps`, the root of the mean over the channels of ((running μ − μ) / σ)². */
  readonly distance: readonly number[];
}

const convergenceSteps = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800] as const;

async function measure(lab: Lab): Promise<Results> {
  const plan = planNetwork(network);
  const steps = lab.pick(859, 200);
  const order = createRandom(1).permutation(lab.data.test.count);
  const test = subset(lab.data.test, order.subarray(0, lab.pick(5000, 1024)));
  const pass = firstOf(lab.data.train, lab.pick(20_000, 5000));
  const runs = await lab.each(lab.seeds(5, 2), async (seed): Promise<Run> => {
    const tensors = await trained(lab, network, { optimizer: 'adam', learningRate: 0.001, seed, steps });
    const population = await populationStatistics(lab.backend, plan, tensors, pass);
    return {
      seed,
      running: await inferenceQuality(lab, plan, tensors, test),
      fullPass: await inferenceQuality(lab, plan, population, test),
      miniBatches: await miniBatchQualities(lab, plan, tensors, test),
      convergence: await converge(lab, plan, tensors, population, seed),
      folded: await foldingError(lab, plan, tensors, test),
    };
  });
  return { steps, testImages: test.count, passImages: pass.count, runs };
}

async function inferenceQuality(lab: Lab, plan: Plan, tensors: State, test: ClassificationDataset): Promise<Quality> {
  const evaluator = await createEvaluator(lab.backend, plan);
  return qualityOf(await evaluator.logits(tensors, test), test.labels);
}

async function miniBatchQualities(lab: Lab, plan: Plan, tensors: State, test: ClassificationDataset) {
  const qualities = [];
  for (const size of lab.pick([1, 2, 4, 8, 16, 32, 64, 128, 256], [1, 2, 16, 256])) {
    const evaluator = await createEvaluator(lab.backend, plan, { mode: 'batchStatistics', batchSize: size });
    const whole = firstOf(test, test.count - (test.count % size));
    qualities.push({ size, ...qualityOf(await evaluator.logits(tensors, whole), whole.labels) });
  }
  return qualities;
}

async function converge(lab: Lab, plan: Plan, tensors: State, population: State, seed: number) {
  const probe = await createStatisticsProbe(lab, plan);
  const order = createRandom(seed).fork('convergence').permutation(lab.data.train.count);
  const batches: LayerStatistics[] = [];
  for (const i of range(Math.max(...convergenceSteps))) {
    const samples = subset(lab.data.train, order.subarray(i * batchSize, (i + 1) * batchSize));
    const statistics = (await probe(tensors, samples)).get(layer);
    if (statistics) batches.push(statistics);
  }
  const [mu, sigma2] = ['running_mean', 'running_var'].map((name) => population.get(`${layer}.${name}`)?.data);
  if (!mu || !sigma2) throw new Error(`internal: no statistics of ${layer}`);
  return momenta.map((momentum) => ({ momentum, distance: distances(momentum, batches, mu, sigma2) }));
}

/** Updates running ← kept · running + (1 − kept) · batch, and measures the distance. */
function distances(momentum: Momentum, batches: readonly LayerStatistics[], mu: Float32Array, sigma2: Float32Array) {
  let running = new Float64Array(mu.length);
  return batches.flatMap(({ mean: batch }, i) => {
    const kept = momentum === 'none' ? i / (i + 1) : momentum;
    running = running.map((value, c) => kept * value + (1 - kept) * present(batch[c]));
    const squares = running.map((value, c) => (value - present(mu[c])) ** 2 / present(sigma2[c]));
    return convergenceSteps.some((step) => step === i + 1) ? [Math.sqrt(mean(squares))] : [];
  });
}

async function foldingError(lab: Lab, plan: Plan, tensors: State, test: ClassificationDataset): Promise<Run['folded']> {
  const [normal, folded] = await Promise.all([
    createEvaluator(lab.backend, plan),
    createEvaluator(lab.backend, planNetwork(withoutNorms(network))),
  ]);
  const [a, b] = [await normal.logits(tensors, test), await folded.logits(foldNorms(plan, tensors), test)];
  const [classesA, classesB] = [predictions({ data: a, classes: 10 }), predictions({ data: b, classes: 10 })];
  return {
    largestDifference: largestDifference(a, b),
    largestLogit: largestDifference(a, new Float32Array(a.length)),
    otherClasses: classesA.filter((answer, i) => answer !== classesB[i]).length,
  };
}

export const testTime = experiment<Results>({
  name: 'test-time',
  title: 'At test time μ and σ² are estimated',
  claim:
    'At test time samples come one by one, so $\\mu$ and $\\sigma^2$ are estimated: by an exponentially weighted average in practice, by a pass over the whole training set in theory.',
  consequence:
    'Serve with the running average: it is a by-product of training, as good as a pass over the training set, and folded into the layer before it costs nothing.',
  measure,
  describe: (results) => ({
    method: method(results),
    findings: findings(results),
    figures: [
      {
        caption: `Accuracy and expected calibration error (15 bins) over ${number(results.testImages, 5)} test images, by the size of the mini-batch that gives μ and σ². The horizontal lines are the estimates from training, which need no batch.`,
        legend: [ownStatistics, runningAverage, wholePass],
        panels: [
          qualityPanel('accuracy', 'accuracy', results.runs, ({ accuracy }) => accuracy),
          qualityPanel(
            'calibration error',
            'expected calibration error',
            results.runs,
            ({ calibration }) => calibration,
          ),
        ],
      },
      {
        caption: `The running mean of the second Batch Norm layer on its way from 0 to the full pass’s $\\mu$, the trained network held still: the distance in units of $\\sigma$, root mean square over the channels. A short memory arrives early and stays noisy, a long one is late and exact; the plain average over all steps has no memory to choose.`,
        legend: momentumSeries,
        panels: [convergencePanel(results.runs)],
      },
    ],
  }),
});

const method = ({ runs, steps, testImages, passImages }: Results) => [
  `\`mnist-mlp\` was trained for ${number(steps, 4)} steps of 64 (Adam, ${runs.length} seeds) and asked ${number(testImages, 5)} test images: with the running average (0.9 of the old kept), with the full pass over ${number(passImages, 5)} training images ($\\mathrm{E}[\\mu_B]$ and $\\mathrm{E}[\\sigma^2_B + \\mu_B^2] - \\mu^2$), and with the mini-batch’s own statistics, for mini-batches of ${list(at(runs, 0).miniBatches.map(({ size }) => String(size)))}.`,
  'The affine map that Batch Norm is at test time was folded into the dense layer before it, $W^\\prime = \\frac{\\gamma}{\\sqrt{\\sigma^2+\\varepsilon}} W$ and $b^\\prime = \\beta - \\frac{\\gamma\\mu}{\\sqrt{\\sigma^2+\\varepsilon}}$, and the logits compared.',
];

function findings({ runs }: Results) {
  const accuracies = (pick: (run: Run) => Quality) => runs.map((run) => pick(run).accuracy);
  const ofSize = (size: number) => accuracies(({ miniBatches }) => only(miniBatches, (batch) => batch.size === size));
  const [running, fullPass] = [accuracies(({ running }) => running), accuracies(({ fullPass }) => fullPass)];
  const gaps = running.map((value, i) => Math.abs(value - at(fullPass, i)));
  const folded = Math.max(...runs.map((run) => run.folded.largestDifference / run.folded.largestLogit));
  const others = runs.reduce((total, run) => total + run.folded.otherClasses, 0);
  const largest = Math.max(...at(runs, 0).miniBatches.map(({ size }) => size));
  const last = (momentum: Momentum) => runs.map((run) => at(distancesOf(run, momentum), convergenceSteps.length - 1));
  return [
    finding(
      'needed',
      clearlyBelow(ofSize(1), running) && clearlyBelow(ofSize(2), running),
      `Without an estimate there is no answer for a single sample: ${percentSpread(ofSize(1))} alone and ${percentSpread(ofSize(2))} in pairs, against ${percentSpread(running, 2)} with the running average. In mini-batches of ${largest} it is ${percentSpread(ofSize(largest), 2)}.`,
      `A single sample’s own statistics are not clearly worse: ${percentSpread(ofSize(1))} against ${percentSpread(running)}.`,
    ),
    finding(
      'average-is-enough',
      mean(gaps) < 0.005,
      `The running average does as well as the full pass: ${percentSpread(running, 2)} and ${percentSpread(fullPass, 2)}; the same network’s accuracy differs by ${number(100 * Math.max(...gaps), 2)} points at most.`,
      `The running average is not as good as the full pass: ${percentSpread(running, 2)} against ${percentSpread(fullPass, 2)}.`,
    ),
    finding(
      'converges',
      clearlyBelow(last(0.9), last(0.5)) && clearlyBelow(last('none'), last(0.9)),
      `It converges to the full pass’s value as far as its memory lets it: after ${at(convergenceSteps, convergenceSteps.length - 1)} steps the running mean is ${momenta.map((momentum) => `${number(mean(last(momentum)), 2)} σ (${nameOf(momentum)})`).join(', ')} away.`,
      `A longer memory does not come clearly closer in ${at(convergenceSteps, convergenceSteps.length - 1)} steps.`,
    ),
    finding(
      'folds',
      folded < 1e-5,
      `It is then an affine map like any other: folded into $W$ and $b$ it moves the logits by at most ${number(folded, 2)} of the largest, and ${others === 0 ? 'no answer changes' : `${others} answers change`}.`,
      `Folded into $W$ and $b$ it moves the logits by up to ${number(folded, 2)} of the largest.`,
    ),
  ];
}

/** Returns the item for which the condition holds. */
function only<Item>(items: readonly Item[], isWanted: (item: Item) => boolean): Item {
  return at(items.filter(isWanted), 0);
}

const distancesOf = ({ convergence }: Run, momentum: Momentum): readonly number[] =>
  only(convergence, (each) => each.momentum === momentum).distance;

const nameOf = (momentum: Momentum): string => (momentum === 'none' ? 'plain average' : `${momentum} kept`);

const ownStatistics: Series = { ...withNorm, name: 'the mini-batch’s own statistics', colour: colours.orange };
const runningAverage = { name: 'running average', colour: colours.blue, dash: '6 3' };
const wholePass = { name: 'full pass', colour: colours.green, dash: '1.5 3' };

const momentumStyles: { readonly [M in Momentum]: Omit<Series, 'name'> } = {
  0.5: { colour: colours.orange, shape: symbolTriangle, dash: '2 3' },
  0.9: { colour: colours.blue, shape: symbolCircle },
  0.99: { colour: colours.green, shape: symbolDiamond, dash: '6 3' },
  none: { colour: colours.purple, shape: symbolSquare },
};
const momentumSeries = momenta.map((momentum): Series => ({ name: nameOf(momentum), ...momentumStyles[momentum] }));

function qualityPanel(label: string, title: string, runs: readonly Run[], pick: (quality: Quality) => number): Panel {
  const points = runs.flatMap(({ miniBatches }) => miniBatches.map((batch) => ({ x: batch.size, y: pick(batch) })));
  const level = (of: (run: Run) => Quality) => mean(runs.map((run) => pick(of(run))));
  return panel({
    title,
    alt: `${title} by the size of the mini-batch`,
    x: { type: 'log', base: 2, label: 'size of the mini-batch', tickFormat: String },
    y: { label, grid: true, zero: true, tickFormat: (share: number) => percent(share, 0) },
    marks: [
      levelLine(
        level(({ running }) => running),
        runningAverage,
      ),
      levelLine(
        level(({ fullPass }) => fullPass),
        wholePass,
      ),
      repeats(summarize(points), ownStatistics),
    ],
  });
}

const levelLine = (y: number, { colour, dash = '' }: Series) =>
  Plot.ruleY([y], { stroke: colour, strokeWidth: 1.75, strokeDasharray: dash });

function convergencePanel(runs: readonly Run[]): Panel {
  const summaries = (momentum: Momentum): readonly Summary[] =>
    convergenceSteps.map((x, i) => {
      const values = runs.map((run) => at(distancesOf(run, momentum), i));
      return { x, mean: mean(values), deviation: deviation(values) };
    });
  return panel({
    alt: 'Distance of the running mean from the full pass over the steps, for four momenta',
    x: { type: 'log', label: 'step', tickFormat: String },
    y: { type: 'log', label: 'distance / σ', grid: true, tickFormat: String, ticks: [0.003, 0.01, 0.03, 0.1, 0.3] },
    marks: momentumSeries.map((series, i) => repeats(summaries(at(momenta, i)), series)),
  });
}
