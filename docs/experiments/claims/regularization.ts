/** Tests claim 8: the noise of mini-batches regularizes slightly, less in larger ones, and more with dropout. */
import * as Plot from '@observablehq/plot';
import { symbolCircle, symbolDiamond } from 'd3-shape';
import { at } from '../../../training/arrays/index.ts';
import { type ClassificationDataset, createRandom, subset } from '../../../training/data/index.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { createEvaluator, populationStatistics, type State } from '../../../training/trainer/index.ts';
import { experiment, finding } from '../experiment.ts';
import { firstOf, type Lab } from '../lab/lab.ts';
import { mlp } from '../lab/networks.ts';
import { createStatisticsProbe, type LayerStatistics } from '../lab/probe.ts';
import { pairs, range } from '../lab/range.ts';
import { clearlyBelow, mean, powerLaw, variance } from '../lab/statistics.ts';
import { trained, training } from '../lab/training.ts';
import { colours, type Panel, panel, repeats, type Series, withNorm, summarize } from '../report/figure.ts';
import { list, number, percentSpread, power, spread } from '../report/format.ts';

const rate = 0.3;
/** Names the layer whose statistics are measured. */
const layer = 'bn1';
/** The training loss at which the networks are compared: then all have learned the training images equally well. */
const target = 0.03;

interface Setting {
  readonly batchNorm: boolean;
  readonly dropout: number;
  readonly batchSize: number;
}

interface Run extends Setting {
  readonly seed: number;
  readonly epochs: number;
  readonly train: Score;
  readonly test: Score;
}

interface Score {
  readonly accuracy: number;
  readonly loss: number;
}

interface Results {
  readonly images: number;
  readonly testImages: number;
  readonly maxEpochs: number;
  readonly runs: readonly Run[];
  readonly noise: readonly Noise[];
}

/** Measures how the statistics of mini-batches scatter, on average over the channels. */
interface Noise {
  readonly seed: number;
  readonly m: number;
  /** Var[μ_B] / σ² */
  readonly ofMean: number;
  /** Var[σ²_B] / σ⁴ */
  readonly ofVariance: number;
}

async function measure(lab: Lab): Promise<Results> {
  const train = firstOf(lab.data.train, lab.pick(2560, 1024));
  const test = firstOf(lab.data.test, lab.pick(5000, 2000));
  const maxEpochs = 80;
  const settings: readonly Setting[] = pairs([true, false], pairs([0, rate], lab.pick([16, 64, 512], [64, 512]))).map(
    ([batchNorm, [dropout, batchSize]]) => ({ batchNorm, dropout, batchSize }),
  );
  const chosen = settings.filter(({ batchNorm, dropout }) => !lab.quick || batchNorm || dropout === 0);
  const runs = await lab.each(pairs(chosen, lab.seeds(5, 2)), ([setting, seed]) =>
    run(lab, setting, seed, { train, test, maxEpochs }),
  );
  const noise = await lab.each(lab.seeds(3, 1), (seed) => measureNoise(lab, seed));
  return { images: train.count, testImages: test.count, maxEpochs, runs, noise: noise.flat() };
}

interface Task {
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset;
  readonly maxEpochs: number;
}

async function run(lab: Lab, setting: Setting, seed: number, { train, test, maxEpochs }: Task): Promise<Run> {
  const { batchSize } = setting;
  const network = mlp(setting);
  const evaluator = await createEvaluator(lab.backend, planNetwork(network));
  const score = async (tensors: State, dataset: ClassificationDataset): Promise<Score> => {
    const { loss, score: accuracy } = await evaluator.evaluate(tensors, dataset);
    return { loss, accuracy };
  };
  const epoch = Math.floor(train.count / batchSize);
  const pauses = training(lab, network, {
    optimizer: 'adam',
    learningRate: learningRateOf(batchSize),
    batchSize,
    seed,
    train,
    steps: maxEpochs * epoch,
    every: Math.ceil(epoch / 4),
  });
  for await (const { step, tensors } of pauses) {
    const onTrain = await score(tensors, train);
    if (onTrain.loss > target) continue;
    return { ...setting, seed, epochs: step / epoch, train: onTrain, test: await score(tensors, test) };
  }
  throw new Error(
    `internal: expected a training loss of ${target} in ${maxEpochs} epochs, got more (batch ${batchSize})`,
  );
}

/** Returns Adam's rate, which grows with the root of the mini-batch's size: https://arxiv.org/abs/2205.10287 */
const learningRateOf = (batchSize: number): number => 0.001 * Math.sqrt(batchSize / 64);

async function measureNoise(lab: Lab, seed: number): Promise<readonly Noise[]> {
  const network = mlp({ batchNorm: true });
  const plan = planNetwork(network);
  const tensors = await trained(lab, network, {
    optimizer: 'adam',
    learningRate: 0.001,
    seed,
    steps: lab.pick(430, 100),
  });
  const population = await populationStatistics(lab.backend, plan, tensors, firstOf(lab.data.train, 20_000));
  const sigma2 = population.get(`${layer}.running_var`)?.data;
  if (!sigma2) throw new Error(`internal: no statistics of ${layer}`);
  const probe = await createStatisticsProbe(lab, plan);
  const random = createRandom(seed).fork('noise');
  const noise: Noise[] = [];
  for (const m of [4, 8, 16, 32, 64, 128, 256, 512]) {
    const order = random.permutation(lab.data.train.count);
    const batches: LayerStatistics[] = [];
    for (const i of range(lab.pick(100, 50))) {
      const statistics = await probe(tensors, subset(lab.data.train, order.subarray(i * m, (i + 1) * m)));
      const own = statistics.get(layer);
      if (own) batches.push(own);
    }
    const scatter = (pick: (batch: LayerStatistics) => Float32Array, exponent: number) =>
      mean(
        range(sigma2.length).map(
          (c) => variance(batches.map((batch) => at(pick(batch), c))) / at(sigma2, c) ** exponent,
        ),
      );
    noise.push({
      seed,
      m,
      ofMean: scatter((batch) => batch.mean, 1),
      ofVariance: scatter((batch) => batch.variance, 2),
    });
  }
  return noise;
}

export const regularization = experiment<Results>({
  name: 'regularization',
  title: 'The noise of mini-batches regularizes',
  claim:
    'A mini-batch’s $\\mu$ and $\\sigma^2$ are noisy, which regularizes slightly, like dropout; a larger mini-batch (512 instead of 64) regularizes less; together with dropout the effect is stronger.',
  consequence:
    'Do not count on Batch Norm as a regularizer: choose the size of the mini-batch for speed, and look for other means where the gap matters.',
  measure,
  describe: (results) => ({
    method: [
      `\`mnist-mlp\` with and without Batch Norm and dropout (${rate}) learned ${number(results.images, 5)} images by heart: Adam with mini-batches of ${list(sizesOf(results).map(String))}, rate $0.001\\sqrt{B/64}$, ${seedsOf(results)} seeds each, until the loss on them was ${target}, so that all are compared when they have learned them equally well. The generalization gap is the loss on ${number(results.testImages, 5)} test images less that on those, both in inference.`,
      `Of ${new Set(results.noise.map(({ seed }) => seed)).size} trained networks the $\\mu_B$, $\\sigma^2_B$ of the first Batch Norm layer were collected over many mini-batches of each size $m$, the weights held still.`,
    ],
    findings: findings(results),
    figures: [
      {
        caption:
          'Generalization gap by the size of the mini-batch in training, mean and standard deviation of the seeds. In the control without Batch Norm mini-batches of every size still make noisy gradients, but no noisy statistics.',
        legend: [plainSeries, dropoutSeries],
        panels: [gapPanel('with Batch Norm', results, true), gapPanel('without Batch Norm', results, false)],
      },
      {
        caption:
          'How much $\\mu_B$ and $\\sigma^2_B$ scatter from mini-batch to mini-batch, in units of $\\sigma^2$ and $\\sigma^4$, on average over the channels. The grey line is $1/m$, what independent samples must give for $\\mu_B$.',
        legend: [meanSeries, varianceSeries, { name: '$1/m$', colour: colours.grey, dash: '4 3' }],
        panels: [noisePanel(results.noise)],
      },
    ],
  }),
});

const sizesOf = ({ runs }: Results): readonly number[] => [...new Set(runs.map(({ batchSize }) => batchSize))];
const seedsOf = ({ runs }: Results): number => new Set(runs.map(({ seed }) => seed)).size;

const gapOf = ({ train, test }: Run): number => test.loss - train.loss;

const gaps = ({ runs }: Results, wanted: Setting): readonly number[] =>
  runs
    .filter(
      (run) =>
        run.batchNorm === wanted.batchNorm && run.dropout === wanted.dropout && run.batchSize === wanted.batchSize,
    )
    .map(gapOf);

function findings(results: Results) {
  const of = (batchNorm: boolean, batchSize: number, dropout = 0) => gaps(results, { batchNorm, batchSize, dropout });
  const accuracies = (batchNorm: boolean, batchSize: number) =>
    results.runs
      .filter((run) => run.batchNorm === batchNorm && run.batchSize === batchSize && run.dropout === 0)
      .map(({ test }) => test.accuracy);
  const [small, large] = [of(true, 64), of(true, 512)];
  const growth = (batchNorm: boolean) => of(batchNorm, 512).map((gap, i) => gap - at(of(batchNorm, 64), i));
  const slope = powerLaw(results.noise.map(({ m, ofMean }) => ({ x: m, y: ofMean })));
  const slopeOfVariance = powerLaw(results.noise.map(({ m, ofVariance }) => ({ x: m, y: ofVariance })));
  const ratio = mean(results.noise.map(({ m, ofMean }) => m * ofMean));
  return [
    finding(
      'noise',
      Math.abs(slope + 1) < 0.1,
      `The noise is what sampling predicts: $\\mathrm{Var}[\\mu_B]$ falls as $m$ to the power ${number(slope)} and is ${number(ratio)} times $\\sigma^2/m$; $\\mathrm{Var}[\\sigma^2_B]$ falls as $m$ to the power ${number(slopeOfVariance)}.`,
      `The noise does not fall as $1/m$: $\\mathrm{Var}[\\mu_B]$ goes as $m$ to the power ${number(slope)}.`,
    ),
    finding(
      'slight',
      clearlyBelow(small, of(false, 64)),
      `With Batch Norm the gap at 64 is clearly smaller than without: ${spread(small)} against ${spread(of(false, 64))} (test accuracy ${percentSpread(accuracies(true, 64))} against ${percentSpread(accuracies(false, 64))}).`,
      `With Batch Norm the gap at 64 is not clearly smaller: ${spread(small)} against ${spread(of(false, 64))} without.`,
    ),
    finding(
      'larger-less',
      clearlyBelow(small, large),
      `A larger mini-batch regularizes less: the gap is ${spread(small)} at 64 and ${spread(large)} at 512.`,
      `A larger mini-batch does not clearly regularize less: the gap is ${spread(small)} at 64 and ${spread(large)} at 512.`,
    ),
    finding(
      'because-of-statistics',
      clearlyBelow(growth(false), growth(true)),
      `That is the statistics’ doing: from 64 to 512 the gap grows by ${spread(growth(true))} with Batch Norm, clearly more than the ${spread(growth(false))} without, where only the gradients are noisy.`,
      `It is not clearly the statistics’ doing: from 64 to 512 the gap grows by ${spread(growth(true))} with Batch Norm and by ${spread(growth(false))} without, where only the gradients are noisy.`,
    ),
    finding(
      'dropout-more',
      clearlyBelow(of(true, 64, rate), small),
      `Together with dropout the effect is stronger: at 64 the gap falls from ${spread(small)} to ${spread(of(true, 64, rate))}.`,
      `Dropout does not clearly add to it: at 64 the gap is ${spread(small)} without and ${spread(of(true, 64, rate))} with it.`,
    ),
  ];
}

const plainSeries: Series = { name: 'no dropout', colour: colours.purple, shape: symbolCircle };
const dropoutSeries: Series = { name: `dropout ${rate}`, colour: colours.green, shape: symbolDiamond, dash: '6 3' };
const meanSeries: Series = { ...withNorm, name: '$\\mathrm{Var}[\\mu_B]/\\sigma^2$' };
const varianceSeries: Series = { ...dropoutSeries, name: '$\\mathrm{Var}[\\sigma^2_B]/\\sigma^4$' };

function gapPanel(title: string, results: Results, batchNorm: boolean): Panel {
  const largest = Math.max(...results.runs.map(gapOf));
  const of = (dropout: number) =>
    sizesOf(results).flatMap((batchSize) =>
      gaps(results, { batchNorm, dropout, batchSize }).map((y) => ({ x: batchSize, y })),
    );
  return panel({
    title,
    alt: `Generalization gap by the size of the mini-batch, ${title}`,
    x: { type: 'log', base: 2, label: 'size of the mini-batch', tickFormat: String, ticks: 6 },
    y: { label: 'gap of the loss', grid: true, domain: [0, largest] },
    marks: [repeats(summarize(of(0)), plainSeries), repeats(summarize(of(rate)), dropoutSeries)],
  });
}

function noisePanel(noise: readonly Noise[]): Panel {
  const of = (pick: (noise: Noise) => number) => summarize(noise.map((each) => ({ x: each.m, y: pick(each) })));
  const sizes = [...new Set(noise.map(({ m }) => m))];
  return panel({
    alt: 'Variance of the mini-batch’s mean and variance by the size of the mini-batch',
    x: { type: 'log', base: 2, label: 'size of the mini-batch, m', tickFormat: String },
    y: { type: 'log', label: 'variance', grid: true, tickFormat: power, ticks: [0.003, 0.01, 0.03, 0.1, 0.3] },
    marks: [
      Plot.line(sizes, { x: (m: number) => m, y: (m: number) => 1 / m, stroke: colours.grey, strokeDasharray: '4 3' }),
      repeats(
        of(({ ofVariance }) => ofVariance),
        varianceSeries,
      ),
      repeats(
        of(({ ofMean }) => ofMean),
        meanSeries,
      ),
    ],
  });
}
