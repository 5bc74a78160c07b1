/**
 * Tests claim 11: when inputs have changed, running statistics measured anew on unlabelled samples repair the network.
 */
import { symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { at } from '../../../training/arrays/index.ts';
import { type ClassificationDataset, createRandom, subset } from '../../../training/data/index.ts';
import { type Plan, planNetwork } from '../../../training/network/index.ts';
import { createEvaluator, populationStatistics, type State } from '../../../training/trainer/index.ts';
import { experiment, finding } from '../experiment.ts';
import { corrupted, type CorruptionName, corruptionNames, type Strength, strengths } from '../lab/corruptions.ts';
import type { Lab } from '../lab/lab.ts';
import { mlp } from '../lab/networks.ts';
import { clearlyBelow, mean } from '../lab/statistics.ts';
import { trained } from '../lab/training.ts';
import { colours, type Panel, panel, repeats, type Series, summarize } from '../report/figure.ts';
import { list, number, percent, percentSpread } from '../report/format.ts';

const network = mlp({ batchNorm: true });
/** The size of a mini-batch, as a Worker would be asked at once. */
const miniBatch = 64;
/** The classes of the samples that the statistics are measured on, in place of all ten. */
const fewClasses = [1, 7];

interface Results {
  readonly steps: number;
  readonly testImages: number;
  readonly counts: readonly number[];
  readonly runs: readonly Run[];
}

/** Holds the accuracies on test images of one network under one corruption. */
interface Run {
  readonly seed: number;
  readonly corruption: CorruptionName;
  readonly strength: Strength;
  readonly fixed: number;
  /** The accuracies with statistics of so many unlabelled images, in the order of `counts`. */
  readonly anew: readonly number[];
  /** The accuracy with the statistics of each mini-batch of test images. */
  readonly own: number;
  /** The accuracy with statistics of images of a few classes only, at most as many as the last of `counts`. */
  readonly skewed: number;
}

async function measure(lab: Lab): Promise<Results> {
  const plan = planNetwork(network);
  const steps = lab.pick(859, 200);
  const counts = lab.pick([16, 64, 256, 1000, 10_000], [16, 256]);
  const images = lab.data.test.count - (lab.data.test.count % miniBatch);
  const test = part(lab.data.test, lab.pick(Math.min(4992, images), 512), 1);
  const seeds = lab.seeds(3, 1);
  const networks = new Map<number, State>();
  for (const seed of seeds) {
    networks.set(seed, await trained(lab, network, { optimizer: 'adam', learningRate: 0.001, seed, steps }));
  }
  const cases = corruptionNames.flatMap((corruption) =>
    lab.pick<readonly Strength[]>(strengths, [1, 5]).map((strength) => ({ corruption, strength })),
  );
  const runs = await lab.each(cases, async ({ corruption, strength }): Promise<readonly Run[]> => {
    const asked = corrupted(test, corruption, strength);
    const found = [];
    for (const [seed, tensors] of networks) {
      const own = part(lab.data.train, Math.max(...counts), seed);
      const samples = corrupted(own, corruption, strength);
      found.push({ seed, corruption, strength, ...(await repaired(lab, plan, tensors, asked, samples, counts)) });
    }
    return found;
  });
  return { steps, testImages: test.count, counts, runs: runs.flat() };
}

/** Draws `count` samples without replacement. */
const part = (dataset: ClassificationDataset, count: number, seed: number): ClassificationDataset =>
  subset(dataset, createRandom(seed).fork('recalibration').permutation(dataset.count).subarray(0, count));

async function repaired(
  lab: Lab,
  plan: Plan,
  tensors: State,
  test: ClassificationDataset,
  samples: ClassificationDataset,
  counts: readonly number[],
): Promise<Pick<Run, 'fixed' | 'anew' | 'own' | 'skewed'>> {
  const { backend } = lab;
  const inference = await createEvaluator(backend, plan);
  const accuracyOf = async (state: State): Promise<number> => (await inference.evaluate(state, test)).score;
  const measured = (set: ClassificationDataset): Promise<State> => populationStatistics(backend, plan, tensors, set);
  const anew = [];
  for (const count of counts) anew.push(await accuracyOf(await measured(subset(samples, first(count)))));
  const few = Int32Array.from([...samples.labels.keys()].filter((i) => fewClasses.includes(at(samples.labels, i))));
  const alone = await createEvaluator(backend, plan, { mode: 'batchStatistics', batchSize: miniBatch });
  return {
    fixed: await accuracyOf(tensors),
    anew,
    own: (await alone.evaluate(tensors, test)).score,
    skewed: await accuracyOf(await measured(subset(samples, few))),
  };
}

const first = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);

export const recalibration = experiment<Results>({
  name: 'recalibration',
  title: 'Statistics measured anew repair a network whose inputs have changed',
  claim:
    'When inputs look different from those of the training, $\\mu$ and $\\sigma^2$ measured on unlabelled samples of today bring back what was lost, and an answer still depends on its own sample alone.',
  consequence:
    'When the source of the inputs has changed, measure the statistics anew on unlabelled samples of all classes before training again: `bn-edge recalibrate` does it.',
  measure,
  describe: (results) => ({
    method: method(results),
    findings: findings(results),
    figures: [
      {
        caption: `Accuracy over ${number(results.testImages, 5)} test images by the strength of the corruption: with the statistics of the training, with statistics of ${list(results.counts.map((count) => number(count, 5)))} unlabelled training images that are corrupted alike, and with those of each mini-batch of ${miniBatch} test images.`,
        legend: [fixed, ...anewSeries(results.counts), own],
        panels: corruptionNames.map((name) => corruptionPanel(name, results)),
      },
    ],
  }),
});

const method = ({ runs, steps, testImages, counts }: Results): readonly string[] => [
  `\`mnist-mlp\` was trained for ${number(steps, 4)} steps of 64 (Adam, ${new Set(runs.map(({ seed }) => seed)).size} seeds) and asked ${number(testImages, 5)} test images under five corruptions, in five strengths: noise, blur, less contrast, towards the negative, shifted by pixels. Its weights stay as they are. The running statistics are those of the training, or were measured anew by a pass over ${list(counts.map((count) => number(count, 5)))} training images, corrupted alike and without labels; and each mini-batch of ${miniBatch} test images was normalized by its own.`,
  `Once more they were measured on images of two digits alone, ${list(fewClasses.map(String))}: statistics of few classes are known to fail ([Lim et al. 2023](https://arxiv.org/abs/2302.05155)).`,
];

function findings({ runs, counts }: Results) {
  const max = counts.length - 1;
  const strong = runs.filter(({ strength }) => strength >= 3 && strength <= 5);
  const [before, after] = [strong.map(({ fixed }) => fixed), strong.map(({ anew }) => at(anew, max))];
  const bySeed = (pick: (run: Run) => number): readonly number[] =>
    [...Map.groupBy(runs, ({ seed }) => seed).values()].map((own) => mean(own.map(pick)));
  const [few, many] = [bySeed(({ anew }) => at(anew, 0)), bySeed(({ anew }) => at(anew, max))];
  const [fixedAll, skewed, ownAll] = [
    bySeed((run) => run.fixed),
    bySeed((run) => run.skewed),
    bySeed((run) => run.own),
  ];
  const of = (name: CorruptionName, level: Strength): readonly Run[] =>
    runs.filter(({ corruption, strength }) => corruption === name && strength === level);
  const [mildNoise, moved, negative] = [of('noise', 1), of('shift', 5), of('inversion', 5)];
  const repaired = ({ anew }: Run): number => at(anew, max);
  const share = 1 - (1 - mean(many)) / (1 - mean(fixedAll));
  const largest = number(at(counts, max), 5);
  return [
    finding(
      'repairs',
      mean(after) > mean(before) + 0.1,
      `Over the corruptions of strength 3 to 5 the accuracy is ${percent(mean(before))} with the statistics of the training and ${percent(mean(after))} with those of ${largest} unlabelled images; over all strengths ${percent(share, 0)} of the errors are gone (for ResNet-50 on ImageNet-C the paper reports 76.7 to 62.2 % mean corruption error, 19 % of it).`,
      `Statistics measured anew do not clearly help: ${percent(mean(before))} and ${percent(mean(after))}.`,
    ),
    finding(
      'count',
      clearlyBelow(few, many),
      `${at(counts, 0)} images are too few for all that: ${percentSpread(few)} in the mean of all corruptions, against ${percentSpread(many)} with ${largest}.`,
      `${at(counts, 0)} images do as well as ${largest}: ${percentSpread(few)} and ${percentSpread(many)}.`,
    ),
    finding(
      'mini-batch',
      mean(ownAll) <= mean(many) + 0.005,
      `The mini-batch’s own statistics do no better, ${percentSpread(ownAll)} in batches of ${miniBatch}, and make each answer depend on its neighbours, so that the same image is answered differently among other neighbours.`,
      `The mini-batch’s own statistics do better: ${percentSpread(ownAll)} against ${percentSpread(many)}.`,
    ),
    finding(
      'classes',
      clearlyBelow(skewed, many),
      `Measured on images of two digits alone they lose much of it: ${percentSpread(skewed)} in the mean of all corruptions, where those of all digits give ${percentSpread(many)} (those of the training: ${percentSpread(fixedAll)}); under the mildest noise they do harm, ${percentSpread(mildNoise.map((run) => run.skewed))} against ${percentSpread(mildNoise.map((run) => run.fixed))}.`,
      `Measured on images of two digits alone they are as good: ${percentSpread(skewed)}.`,
    ),
    finding(
      'not-everything',
      mean(moved.map(repaired)) < 0.5 && mean(negative.map(repaired)) < 0.5,
      `They repair the mean and the scale of what each channel sees, and nothing else: lower contrast is undone completely; digits moved by 5 pixels are classified correctly in ${percent(mean(moved.map(({ fixed }) => fixed)))} before and ${percent(mean(moved.map(repaired)))} after, negatives in ${percent(mean(negative.map(({ fixed }) => fixed)))} and ${percent(mean(negative.map(repaired)))}, for a negative turns the sign of every deviation.`,
      `They repair more than mean and scale: digits moved by 5 pixels reach ${percent(mean(moved.map(repaired)))}, negatives ${percent(mean(negative.map(repaired)))}.`,
    ),
  ];
}

const fixed: Series = { name: 'statistics of the training', colour: colours.grey, shape: symbolSquare, dash: '2 3' };
const own: Series = { name: 'the mini-batch’s own', colour: colours.orange, shape: symbolTriangle, dash: '5 3' };

const anewStyles: readonly Omit<Series, 'name'>[] = [
  { colour: colours.purple, shape: symbolDiamond },
  { colour: colours.green, shape: symbolDiamond },
  { colour: colours.blue, shape: symbolCircle },
];

/** Returns the places of the smallest, the middle and the largest count. */
const shownCounts = (counts: readonly number[]): readonly number[] => [
  ...new Set([0, Math.floor((counts.length - 1) / 2), counts.length - 1]),
];

const anewSeries = (counts: readonly number[]): readonly Series[] =>
  shownCounts(counts).map((place, i) => ({
    name: `measured on ${number(at(counts, place), 5)}`,
    ...at(anewStyles, i),
  }));

function corruptionPanel(name: CorruptionName, { runs, counts }: Results): Panel {
  const here = runs.filter(({ corruption }) => corruption === name);
  const line = (series: Series, pick: (run: Run) => number) =>
    repeats(summarize(here.map((run) => ({ x: run.strength, y: pick(run) }))), series);
  return panel({
    title: name,
    alt: `Accuracy by the strength of ${name}`,
    x: { label: 'strength', ticks: [...strengths], tickFormat: String },
    y: { label: 'accuracy', grid: true, domain: [0, 1], tickFormat: (share: number) => percent(share, 0) },
    marks: [
      line(fixed, (run) => run.fixed),
      ...shownCounts(counts).map((place, i) => line(at(anewSeries(counts), i), ({ anew }) => at(anew, place))),
      line(own, (run) => run.own),
    ],
  });
}
