/** Tests claim 1: normalizing the inputs makes an elongated loss surface rounder and speeds learning up. */
import * as Plot from '@observablehq/plot';
import { symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape';
import { at } from '../../../../training/arrays/index.ts';
import { experiment, finding } from '../../experiment.ts';
import { type EncodingName, encodingNames } from '../../lab/encodings.ts';
import { range } from '../../lab/range.ts';
import { clearlyBelow, mean } from '../../lab/statistics.ts';
import { colours, type Panel, panel, type Series } from '../../report/figure.ts';
import { capitalized, list, number, power, spread } from '../../report/format.ts';
import { every, measure, type Model, models, type Results, type Surface, targets } from './measure.ts';

export const inputNormalization = experiment<Results>({
  name: 'input-normalization',
  title: 'Normalized inputs make the loss surface round',
  claim:
    'Normalizing the input features, $x \\leftarrow (x-\\mu)/\\sigma$, turns an elongated loss surface round, and learning gets faster.',
  consequence:
    'Normalize each feature by its own $\\mu$ and $\\sigma$ of the training set, and keep both inside the model, as the exported file does: then clients send raw values.',
  measure,
  describe: (results) => ({
    method: [
      `Pixels went in four ways: raw (0–255), scaled (0–1), normalized by one $\\mu$, $\\sigma$ of all pixels, and by a $\\mu$, $\\sigma$ of each pixel, which is what the claim means. The surfaces are those of logistic regression on ${number(results.samples, 5)} digits of 10 × 10, their 20 × 20 inner pixels averaged two by two, since the border’s pixels never change and would make every surface flat in some direction. Condition numbers are $\\lambda_{\\max}/\\lambda_{\\min}$: of the features’ covariance, and of $\\mathrm{E}[x x^\\top]$ with a 1 for the bias, the Hessian of least squares, which shapes the surface.`,
      `Logistic regression and \`mnist-mlp\`, without and with Batch Norm, then learned by plain gradient descent with mini-batches of 64, at rates a factor of ${results.runs.some(({ learningRate }) => Math.abs(Math.log10(learningRate) % 1) > 0.1) ? '√10 (raw: 10)' : '10'} apart, until the mean loss of ${every} steps was at most ${list(modelsOf(results).map((model) => `${targets[model]} (${called(model)})`))}, or for ${number(results.limit, 4)} steps; the best rate was repeated with ${Math.max(...results.runs.map(({ seed }) => seed))} seeds.`,
    ],
    findings: findings(results),
    figures: [
      {
        caption:
          'The loss of logistic regression around what it has learned, along the two directions in which the surface bends most, both axes in the same unit. Contours lie at equal differences of the loss; the more elongated, the harder for gradient descent. Raw and scaled have the same shape: dividing by 255 changes only the size.',
        panels: results.surfaces.map(contourPanel),
      },
      {
        caption: `First the eigenvalues of each surface’s curvature, as shares of the largest: the flatter the line, the rounder the surface. Then the steps to the target loss at the best rate, one mark per seed.`,
        legend: encodingNames.map((name) => series[name]),
        panels: [spectrumPanel(results.surfaces), ...modelsOf(results).map((model) => stepsPanel(model, results))],
      },
    ],
  }),
});

/** Names the model in a text. */
const called = (model: Model): string =>
  model === 'mnist-mlp' ? '`mnist-mlp` with Batch Norm' : model.replace('mnist-mlp', '`mnist-mlp`');

const modelsOf = ({ runs }: Results): readonly Model[] =>
  models.filter((model) => runs.some((run) => run.model === model));

const condition = (values: readonly number[]): number => at(values, 0) / at(values, values.length - 1);

interface Best {
  readonly learningRate: number;
  readonly steps: readonly number[];
}

/** Returns the repeats at the best rate; undefined when not all of them reached the target. */
function best(results: Results, model: Model, encoding: EncodingName): Best | undefined {
  const runs = results.runs.filter((run) => run.model === model && run.encoding === encoding);
  const repeated = runs.filter(({ seed }) => seed > 1);
  const learningRate = repeated[0]?.learningRate;
  const own = runs.filter((run) => run.learningRate === learningRate);
  const steps = own.flatMap((run) => (run.steps === null ? [] : [run.steps]));
  return learningRate === undefined || steps.length < own.length ? undefined : { learningRate, steps };
}

function findings(results: Results) {
  const surface = (name: EncodingName): Surface => {
    const found = results.surfaces.find(({ encoding }) => encoding === name);
    if (!found) throw new Error(`internal: no surface of ${name}`);
    return found;
  };
  const [covariance, curvature] = (['covariance', 'curvature'] as const).map(
    (kind) => (name: EncodingName) => condition(surface(name)[kind]),
  ) as [(name: EncodingName) => number, (name: EncodingName) => number];
  const axes = (name: EncodingName) => {
    const { curvature } = surface(name);
    return Math.sqrt(at(curvature, 0) / at(curvature, 1));
  };
  return [
    finding(
      'rounder',
      curvature('by pixel') < curvature('scaled') &&
        covariance('by pixel') < covariance('scaled') &&
        axes('by pixel') < axes('scaled'),
      `The surface gets rounder: normalized by pixel, the condition number of the features’ covariance falls from ${number(covariance('scaled'))} to ${number(covariance('by pixel'))}, that of the surface from ${number(curvature('scaled'))} to ${number(curvature('by pixel'))}, and the leading ellipse is ${number(axes('by pixel'))} times as long as wide instead of ${number(axes('scaled'))} times.`,
      `The surface does not get rounder in every respect: covariance ${number(covariance('scaled'))} → ${number(covariance('by pixel'))}, surface ${number(curvature('scaled'))} → ${number(curvature('by pixel'))}.`,
    ),
    finding(
      'one-mean-is-not-enough',
      covariance('normalized') < 0.9 * covariance('scaled'),
      `One μ and σ for all pixels already rounds the covariance: ${number(covariance('normalized'))}.`,
      `It takes each feature’s own μ and σ. One for all pixels leaves the covariance’s condition number at ${number(covariance('normalized'))}, as dividing by 255 does (${number(covariance('raw'))} raw, ${number(covariance('scaled'))} scaled); it helps by taking most of the common mean out: the surface’s falls from ${number(curvature('scaled'))} to ${number(curvature('normalized'))}.`,
    ),
    ...modelsOf(results).map((model) => faster(results, model)),
  ];
}

function faster(results: Results, model: Model) {
  const of = (name: EncodingName) => best(results, model, name);
  const describe = (name: EncodingName) => {
    const found = of(name);
    return `${name} ${found ? `${spread(found.steps)} (rate ${power(found.learningRate)})` : `more than ${number(results.limit, 4)}`}`;
  };
  const [scaled, normalized, byPixel, raw] = [of('scaled'), of('normalized'), of('by pixel'), of('raw')];
  const quickest = [normalized, byPixel]
    .filter((each) => each !== undefined)
    .toSorted((a, b) => mean(a.steps) - mean(b.steps))[0];
  const beats = (other: Best | undefined) =>
    quickest !== undefined && (other === undefined || clearlyBelow(quickest.steps, other.steps));
  const text = `${capitalized(called(model))}, steps to a loss of ${targets[model]}: ${encodingNames.map(describe).join(', ')}`;
  const remark =
    model === 'mnist-mlp'
      ? ' Batch Norm after the first layer undoes any common factor of the inputs, so little is left to gain.'
      : '';
  return finding(
    `faster-${model.replaceAll(' ', '-')}`,
    beats(raw) && beats(scaled),
    `${text}. The faster of the two normalized inputs is clearly faster than raw and scaled ones.`,
    `${text}. The faster of the two normalized inputs is clearly faster than ${[beats(raw) ? 'raw' : '', beats(scaled) ? 'scaled' : ''].filter(Boolean).join(' and ') || 'neither'} only.${remark}`,
  );
}

const series: { readonly [E in EncodingName]: Series } = {
  raw: { name: 'raw 0–255', colour: colours.orange, shape: symbolSquare, dash: '2 3' },
  scaled: { name: 'scaled 0–1', colour: colours.purple, shape: symbolTriangle, dash: '6 3' },
  normalized: { name: 'normalized', colour: colours.green, shape: symbolDiamond },
  'by pixel': { name: 'normalized by pixel', colour: colours.blue, shape: symbolCircle },
};

function contourPanel({ encoding, landscape: { reach, loss } }: Surface): Panel {
  const side = loss.length;
  const highest = 0.5;
  // Contours close along the edge of what was computed; the edge is cut off, because it means nothing.
  const shown = [-0.97 * reach, 0.97 * reach];
  return panel({
    title: series[encoding].name,
    alt: `Contours of the loss along the two leading directions, ${encoding}`,
    width: 200,
    height: 214,
    marginLeft: 44,
    marginRight: 6,
    insetLeft: 0,
    insetRight: 0,
    x: { label: 'first direction', ticks: 3, tickFormat: compactTick, domain: shown },
    y: { label: 'second direction', ticks: 3, tickFormat: compactTick, domain: shown },
    color: { type: 'linear', range: ['var(--card)', 'var(--card)'] },
    marks: [
      Plot.frame({ stroke: 'var(--line)' }),
      Plot.contour(loss.flat(), {
        width: side,
        height: side,
        x1: -reach,
        x2: reach,
        y1: -reach,
        y2: reach,
        thresholds: range(12).map((i) => ((i + 0.5) / 12) * highest),
        stroke: series[encoding].colour,
        fill: 'none',
        strokeWidth: 1.25,
        clip: 'frame',
      }),
    ],
  });
}

const compactTick = (value: number): string => number(Number(value.toPrecision(2)));

function spectrumPanel(surfaces: readonly Surface[]): Panel {
  return panel({
    title: 'curvature',
    alt: 'Eigenvalues of the curvature as shares of the largest, by encoding',
    x: { type: 'log', label: 'direction, by curvature', tickFormat: String },
    y: { type: 'log', label: 'λ / λ₁', grid: true, ticks: 4, tickFormat: power },
    marks: surfaces.map(({ encoding, curvature }) =>
      Plot.line(curvature, {
        x: (_, i) => i + 1,
        y: (value: number) => value / at(curvature, 0),
        stroke: series[encoding].colour,
        strokeWidth: 2,
        strokeDasharray: series[encoding].dash ?? 'none',
      }),
    ),
  });
}

function stepsPanel(model: Model, results: Results): Panel {
  const points = encodingNames.flatMap((encoding) =>
    (best(results, model, encoding)?.steps ?? []).map((steps) => ({ encoding, steps })),
  );
  return panel({
    title: capitalized(called(model)),
    alt: `Steps to a loss of ${targets[model]} by encoding, ${model}`,
    height: 190,
    marginLeft: 82,
    x: { label: 'steps', grid: true, domain: [0, Math.max(...points.map(({ steps }) => steps)) * 1.05] },
    y: { label: null, type: 'band', domain: encodingNames },
    marks: encodingNames.map((encoding) => [
      best(results, model, encoding)
        ? []
        : Plot.text([encoding], {
            x: 0,
            y: (name: EncodingName) => name,
            text: () => `not in ${number(results.limit, 4)} steps`,
            textAnchor: 'start',
            dx: 8,
            fill: 'var(--soft)',
          }),
      Plot.dot(
        points.filter((point) => point.encoding === encoding),
        {
          x: 'steps',
          y: 'encoding',
          stroke: series[encoding].colour,
          symbol: series[encoding].shape ?? symbolCircle,
          fill: 'var(--card)',
          strokeWidth: 1.75,
          r: 3.6,
        },
      ),
    ]),
  });
}
