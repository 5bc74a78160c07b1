/** Tests claim 5: computes the gradients of γ, β and z in three ways. */
import * as Plot from '@observablehq/plot';
import { symbolCircle, symbolDiamond, symbolTriangle } from 'd3-shape';
import { experiment, finding } from '../../experiment.ts';
import { colours, panel, type Series } from '../../report/figure.ts';
import { number, power } from '../../report/format.ts';
import { chosenStep, type Comparison, measure, probed, type Results } from './measure.ts';

export const gradients = experiment<Results>({
  name: 'gradients',
  title: 'The gradients of γ, β and z',
  claim:
    'With $\\mathrm{d}\\hat z = \\gamma\\,\\mathrm{d}\\tilde z$ the gradients are $\\mathrm{d}\\beta = \\sum \\mathrm{d}\\tilde z$, $\\mathrm{d}\\gamma = \\sum \\mathrm{d}\\tilde z\\,\\hat z$ and $\\mathrm{d}z = \\frac{1}{\\sqrt{\\sigma^2+\\varepsilon}} \\bigl(\\mathrm{d}\\hat z - \\tfrac1m\\sum \\mathrm{d}\\hat z$ ${} - \\hat z\\,\\tfrac1m\\sum \\mathrm{d}\\hat z\\,\\hat z\\bigr)$.',
  consequence:
    'The formulas can be used as they stand, and the gradients of the training graph be relied on to the precision of float32.',
  measure,
  describe: ({ comparisons, sweep, sizes }) => {
    const worst = (pick: (comparison: Comparison) => number) => Math.max(...comparisons.map(pick));
    const graph = worst(({ autodiffAndFormula }) => autodiffAndFormula);
    const differences = worst(({ formulaAndDifferences }) => formulaAndDifferences);
    return {
      method: [
        `The gradients of $L = \\sum r\\,(\\tilde z + \\tfrac12 \\tilde z^2)$ with random $r$, $\\gamma$, $\\beta$, for the activations $z$ of a dense layer [${sizes.dense.join(', ')}] and of a convolution [${sizes.convolution.join(', ')}] on MNIST: by automatic differentiation of the training graph (float32, ONNX Runtime), by the formulas, derived through $\\mathrm{d}\\sigma^2$ and $\\mathrm{d}\\mu$ without a shortcut (float64), and by central differences (float64, step ${number(chosenStep, 1)}; of $z$ at ${probed} places). ${comparisons.length} comparisons, each by the largest difference as a share of the largest gradient.`,
      ],
      findings: [
        finding(
          'formula',
          differences < 1e-6,
          `The formulas are right: they differ from central differences by at most ${number(differences, 2)}, and the error grows as the square of the step until rounding takes over.`,
          `The formulas differ from central differences by up to ${number(differences, 2)}.`,
        ),
        finding(
          'autodiff',
          graph < 1e-5,
          `The training graph computes them to float32’s precision: at most ${number(graph, 2)} from the formulas, for γ, β and z, in dense and convolutional layers.`,
          `The training graph differs from the formulas by up to ${number(graph, 2)}.`,
        ),
      ],
      figures: [
        {
          caption:
            'Three ways: the largest difference for each of γ, β and z as a share of the largest gradient, one mark per mini-batch. Differences: their own error for z by their step, too coarse at the left, too much rounding at the right.',
          legend: [againstFormula, againstDifferences, formulaDifferences],
          panels: [comparisonPanel(comparisons), sweepPanel(sweep)],
        },
      ],
    };
  },
});

const againstFormula: Series = { name: 'graph and formula', colour: colours.blue, shape: symbolCircle };
const againstDifferences: Series = { name: 'graph and differences', colour: colours.green, shape: symbolDiamond };
const formulaDifferences: Series = { name: 'formula and differences', colour: colours.orange, shape: symbolTriangle };

function comparisonPanel(comparisons: readonly Comparison[]) {
  const dots = ({ colour, shape }: Series, pick: (comparison: Comparison) => number, dy: number) =>
    Plot.dot(comparisons, {
      x: pick,
      y: (comparison: Comparison) => `${comparison.case} ${comparison.quantity}`,
      stroke: colour,
      symbol: shape ?? symbolCircle,
      fill: 'var(--card)',
      strokeWidth: 1.75,
      r: 3.2,
      dy,
    });
  return panel({
    title: 'three ways compared',
    alt: 'Largest differences between the gradients, by layer and quantity',
    marginLeft: 96,
    x: { type: 'log', label: 'largest difference', grid: true, ticks: 4, tickFormat: power },
    y: { label: null, type: 'band' },
    marks: [
      dots(againstFormula, ({ autodiffAndFormula }) => autodiffAndFormula, -6),
      dots(againstDifferences, ({ autodiffAndDifferences }) => autodiffAndDifferences, 0),
      dots(formulaDifferences, ({ formulaAndDifferences }) => formulaAndDifferences, 6),
    ],
  });
}

function sweepPanel(sweep: Results['sweep']) {
  return panel({
    title: 'central differences, by step',
    alt: 'Error of central differences by their step',
    x: { type: 'log', label: 'step h', ticks: 4, tickFormat: power, reverse: true },
    y: { type: 'log', label: 'error for z', grid: true, ticks: 5, tickFormat: power },
    marks: [
      Plot.line(sweep, { x: 'step', y: 'error', z: 'case', stroke: colours.orange, strokeWidth: 1.75 }),
      Plot.dot(sweep, {
        x: 'step',
        y: 'error',
        stroke: colours.orange,
        fill: 'var(--card)',
        symbol: symbolTriangle,
        r: 3.2,
        strokeWidth: 1.75,
      }),
      Plot.text(
        sweep.filter(({ step }) => step === 1e-9),
        { x: 'step', y: 'error', text: 'case', dy: -10, textAnchor: 'end', fill: 'currentColor' },
      ),
    ],
  });
}
