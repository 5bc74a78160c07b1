/** Tests claim 7: later layers see a steadier input. */
import * as Plot from '@observablehq/plot';
import { symbolDiamond } from 'd3-shape';
import { at } from '../../../../training/arrays/index.ts';
import { experiment, finding } from '../../experiment.ts';
import { jitter } from '../../lab/jitter.ts';
import { type ShiftName, shifts } from '../../lab/shifts.ts';
import { clearlyBelow, mean } from '../../lab/statistics.ts';
import { colours, type Panel, panel, type Series, without, withNorm, summarize } from '../../report/figure.ts';
import { number, percent, percentSpread, spread } from '../../report/format.ts';
import {
  batchSize,
  depth,
  every,
  learningRate,
  measure,
  middle,
  type Moment,
  type Results,
  type Shifted,
  type Variant,
  variants,
  width,
} from './measure.ts';

export const covariateShift = experiment<Results>({
  name: 'covariate-shift',
  title: 'Later layers see a steadier input',
  claim:
    'Batch Norm keeps the distribution of what later layers get from shifting while the layers before them learn (“covariate shift”), and that is why training is faster.',
  consequence:
    'Do not explain the speed by the steadier input, and do not expect Batch Norm to withstand images that look different: measure the statistics anew ([claim 11](#recalibration)), or train on such images.',
  measure,
  describe: (results) => ({
    method: [
      `Networks of ${depth} hidden layers of ${width} ReLU units, with and without Batch Norm, ${number(results.steps, 4)} steps of gradient descent (rate ${learningRate}, mini-batches of ${batchSize}, ${seedsOf(results)} seeds each). Every ${every} steps: the inputs of the last hidden layer’s activations for 500 fixed images, and how much the gradient of layer ${middle} changes when only the layers before it take their step, $\\lVert g-g'\\rVert/\\lVert g\\rVert$, which is how [Santurkar et al. 2018](https://arxiv.org/abs/1805.11604) define internal covariate shift.`,
      `A third kind has Batch Norm, but every ${every} steps the output of each of its layers is shifted (standard deviation ${jitter.shift}) and scaled (${jitter.factor}, of the logarithm) by new random numbers, unit by unit: Batch Norm without the steadiness.`,
      `\`mnist-mlp\` with and without Batch Norm was also asked ${number(results.testImages, 5)} test images that look different from the training’s: brighter (+80), of low contrast (× 0.35), inverted, noisy (standard deviation 80).`,
    ],
    findings: findings(results),
    figures: [
      {
        caption: `The input of one unit’s activation in the last hidden layer, over the training (one seed): the median, and the middle ${percent(0.7, 0)} of the images. Batch Norm holds it in place, jumps tear it loose.`,
        panels: [
          unitPanel('without Batch Norm', results, 'without', without),
          unitPanel('with Batch Norm', results, 'with', withNorm),
          unitPanel('with Batch Norm, jumping', results, 'jittered', jitteredSeries),
        ],
      },
      {
        caption: `How far the units’ means move in ${every} steps, in standard deviations; the training loss; internal covariate shift by the gradient’s measure; and how much the whole gradient changes over the step it proposes: the less, the more it can be relied on. Mean and standard deviation of the seeds.`,
        legend: [without, withNorm, jitteredSeries],
        panels: [
          overTime('move of the means', 'deviations', results, ({ drift }) => drift),
          overTime('training loss', 'loss', results, ({ loss }) => loss),
          overTime('gradient shift, layer 3', '‖g − g′‖ / ‖g‖', results, ({ gradientShift }) => gradientShift),
          overTime('gradient change over a step', '‖g − g′‖ / ‖g‖', results, ({ gradientChange }) => gradientChange),
        ],
      },
      {
        caption: 'Accuracy on test images that look different from the training’s, one mark per seed.',
        legend: [without, { ...withNorm, name: 'with Batch Norm' }, anewSeries],
        panels: [shiftPanel(results.shifts)],
      },
    ],
  }),
});

const seedsOf = ({ runs }: Results): number => new Set(runs.map(({ seed }) => seed)).size;
const jitteredSeries: Series = { name: 'with Batch Norm, jumping', colour: colours.purple, dash: '2 2' };
const anewSeries: Series = { name: 'with μ, σ² estimated anew', colour: colours.green, shape: symbolDiamond };

/** Returns the mean over the training, for each seed. */
function overTraining({ runs }: Results, variant: Variant, pick: (moment: Moment) => number | null) {
  return runs
    .filter((run) => run.variant === variant)
    .map(({ moments }) => mean(moments.map(pick).filter((value) => value !== null)));
}

function findings(results: Results) {
  const of = (pick: (moment: Moment) => number | null) =>
    [overTraining(results, 'with', pick), overTraining(results, 'without', pick)] as const;
  const [drift, plainDrift] = of((moment) => moment.drift);
  const [shift, plainShift] = of((moment) => moment.gradientShift);
  const [change, plainChange] = of((moment) => moment.gradientChange);
  const accuracy = (name: ShiftName, pick: (result: Shifted) => number) =>
    results.shifts.filter((result) => result.shift === name).map(pick);
  const names = (Object.keys(shifts) as ShiftName[]).filter((name) => name !== 'none');
  const rescued = names.filter((name) =>
    clearlyBelow(
      accuracy(name, ({ running }) => running),
      accuracy(name, ({ estimatedAnew }) => estimatedAnew),
    ),
  );
  const sturdier = names.filter((name) =>
    clearlyBelow(
      accuracy(name, ({ plain }) => plain),
      accuracy(name, ({ running }) => running),
    ),
  );
  const table = (pick: (result: Shifted) => number) =>
    names.map((name) => `${name} ${percentSpread(accuracy(name, pick))}`).join(', ');
  return [
    finding(
      'steadier',
      clearlyBelow(drift, plainDrift),
      `The distribution is steadier: in ${every} steps the mean input of a unit’s activation moves by ${spread(drift)} of its deviations with Batch Norm, ${spread(plainDrift)} without.`,
      `The distribution is not clearly steadier: in ${every} steps the mean input of a unit’s activation moves by ${spread(drift)} of its deviations with Batch Norm, ${spread(plainDrift)} without.`,
    ),
    whySteady(results),
    finding(
      'gradient-shift',
      clearlyBelow(shift, plainShift),
      `By the gradient’s measure there is less internal covariate shift here as well: when only the layers before it take their step, the gradient of layer ${middle} changes by ${spread(shift)} of its length with Batch Norm, ${spread(plainShift)} without. (Santurkar et al. found no less of it in their networks.)`,
      `By the gradient’s measure there is no less internal covariate shift: when only the layers before it take their step, the gradient of layer ${middle} changes by ${spread(shift)} of its length with Batch Norm and by ${spread(plainShift)} without, ${clearlyBelow(plainShift, shift) ? 'clearly more' : 'not clearly less'}, as Santurkar et al. found.`,
    ),
    finding(
      'smoother',
      clearlyBelow(change, plainChange),
      `Their explanation is that the gradient can be relied on over a longer step. At this rate it changes over one step by ${spread(change)} of its length with Batch Norm, ${spread(plainChange)} without.`,
      `Their own explanation, that the gradient can be relied on over a longer step, does not show at this rate: over one step the gradient changes by ${spread(change)} of its length with Batch Norm, ${spread(plainChange)} without.`,
    ),
    finding(
      'shifted-images',
      sturdier.length === names.length,
      `A network with Batch Norm stands shifted images better than one without: ${table(({ running }) => running)}; without ${table(({ plain }) => plain)}.`,
      `Against shifted images Batch Norm as such does not protect; it is clearly better for ${sturdier.length === 0 ? 'none' : sturdier.length} of the ${names.length} shifts: ${table(({ running }) => running)}; without ${table(({ plain }) => plain)}. The running statistics are those of other images.`,
    ),
    finding(
      'anew',
      rescued.length === names.length,
      `Estimating $\\mu$, $\\sigma^2$ anew on shifted images, without labels or training, helps for every shift: ${table(({ estimatedAnew }) => estimatedAnew)}.`,
      `Estimating $\\mu$, $\\sigma^2$ anew on shifted images, without labels or training, clearly helps for ${rescued.length} of the ${names.length} shifts: ${table(({ estimatedAnew }) => estimatedAnew)}.`,
    ),
  ];
}

/**
 * Tests whether a steady input is what makes training fast: what it brings at the same rate, and what is left without
 * it.
 */
function whySteady(results: Results) {
  const late = (variant: Variant) =>
    overTraining(results, variant, ({ step, loss }) => (step > results.steps / 2 ? loss : null));
  const [norm, plain, jumping] = [late('with'), late('without'), late('jittered')];
  const drift = (variant: Variant) => spread(overTraining(results, variant, (moment) => moment.drift));
  const losses = `The training loss over the second half is ${spread(norm)} with Batch Norm and ${spread(plain)} without, at the same rate; with jumps, which make the input less steady than it is without Batch Norm (${drift('jittered')} deviations against ${drift('without')}), it is ${spread(jumping)}.`;
  const faster = clearlyBelow(norm, plain);
  return finding(
    'steadiness-is-why',
    faster && !clearlyBelow(jumping, plain),
    `Take the steadiness away and the advantage is gone. ${losses}`,
    faster
      ? `But that is not why training is faster: with an unsteady input Batch Norm is still clearly faster than none, as Santurkar et al. found. ${losses}`
      : `But a steadier input alone does not make training faster. ${losses} At this rate Batch Norm brings no clear advantage, however steady its layers’ input; it has one at the larger rates that it allows ([claim 2](#faster-training)).`,
  );
}

const shownMoments = ({ runs }: Results, variant: Variant): readonly Moment[] =>
  runs.find((run) => run.variant === variant && run.seed === 1)?.moments ?? [];

/** Returns the same range for all variants, so that the eye can compare them. */
function unitRange(results: Results): readonly [number, number] {
  const values = variants.flatMap((variant) => shownMoments(results, variant).flatMap(({ unit }) => unit));
  return [Math.min(...values), Math.max(...values)];
}

function unitPanel(title: string, results: Results, variant: Variant, { colour: stroke }: Series): Panel {
  const moments = shownMoments(results, variant);
  const percentile = (i: number) => (moment: Moment) => at(moment.unit, i);
  return panel({
    title,
    width: 270,
    alt: `Percentiles of one unit’s input over the training, ${title}`,
    x: { label: 'step' },
    y: { label: 'input of the activation', grid: true, domain: unitRange(results) },
    marks: [
      Plot.ruleY([0]),
      Plot.areaY(moments, { x: 'step', y1: percentile(0), y2: percentile(2), fill: stroke, fillOpacity: 0.2 }),
      Plot.line(moments, { x: 'step', y: percentile(1), stroke, strokeWidth: 2 }),
    ],
  });
}

function overTime(title: string, label: string, { runs }: Results, pick: (moment: Moment) => number | null): Panel {
  const of = (variant: Variant, { colour, dash }: Series) => {
    const points = runs
      .filter((run) => run.variant === variant)
      .flatMap(({ moments }) => moments.map((moment) => ({ x: moment.step, y: pick(moment) })))
      .flatMap(({ x, y }) => (y === null ? [] : [{ x, y }]));
    const summary = summarize(points);
    const band = {
      y1: (s: (typeof summary)[number]) => s.mean - s.deviation,
      y2: (s: (typeof summary)[number]) => s.mean + s.deviation,
    };
    return [
      Plot.areaY(summary, { x: 'x', ...band, fill: colour, fillOpacity: 0.18 }),
      Plot.line(summary, {
        x: 'x',
        y: 'mean',
        stroke: colour,
        strokeWidth: 2,
        ...(dash !== undefined && { strokeDasharray: dash }),
      }),
    ];
  };
  return panel({
    title,
    alt: `${title} over the training`,
    x: { label: 'step' },
    y: { label, grid: true, zero: true },
    marks: [of('without', without), of('jittered', jitteredSeries), of('with', withNorm)],
  });
}

function shiftPanel(results: readonly Shifted[]): Panel {
  const dots = (pick: (result: Shifted) => number, { colour, shape = symbolDiamond }: Series, dy: number) =>
    Plot.dot(results, {
      x: pick,
      y: 'shift',
      stroke: colour,
      symbol: shape,
      fill: 'var(--card)',
      strokeWidth: 1.75,
      r: 3.6,
      dy,
    });
  return panel({
    alt: 'Accuracy on shifted test images',
    marginLeft: 84,
    x: { label: 'accuracy', grid: true, domain: [0, 1], tickFormat: (share: number) => percent(share, 0) },
    y: { label: null, type: 'band', domain: Object.keys(shifts) },
    marks: [
      dots(({ plain }) => plain, without, -8),
      dots(({ running }) => running, withNorm, 0),
      dots(({ estimatedAnew }) => estimatedAnew, anewSeries, 8),
    ],
  });
}
