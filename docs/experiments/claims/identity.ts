/** Tests claim 3: γ and β can undo the normalization. */
import * as Plot from '@observablehq/plot';
import { gradients } from '../../../training/autodiff/index.ts';
import { at, elementCount, present } from '../../../training/arrays/index.ts';
import { checkGraph, type Graph, graphBuilder, type Tensor } from '../../../training/graph/index.ts';
import { floatsOf } from '../../../training/trainer/index.ts';
import { experiment, finding } from '../experiment.ts';
import { type Activations, activationsOf } from '../lab/activations.ts';
import type { Moments } from '../lab/channels.ts';
import type { Lab } from '../lab/lab.ts';
import { pairs, range } from '../lab/range.ts';
import { largestDifference } from '../lab/statistics.ts';
import { colours, panel } from '../report/figure.ts';
import { number, power } from '../report/format.ts';

const epsilon = 1e-5;
const samples = 64;
/** The largest share by which rounding moves a number: a float32 carries 24 bits. */
const rounding = 2 ** -24;
const tolerance = 16 * rounding;

interface Results {
  readonly exact: readonly Exact[];
  readonly learned: Learned;
}

/** Holds the result of one mini-batch of z through a layer with γ = √(σ² + ε), β = μ. */
interface Exact {
  readonly network: string;
  readonly layer: string;
  readonly values: number;
  /** max |z̃ − z| / max |z| */
  readonly error: number;
}

/** Describes the training of a layer whose loss is the mean squared difference between its output and its input. */
interface Learned {
  readonly learningRate: number;
  /** Holds the targets of γ and β for each channel. */
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly steps: readonly {
    readonly loss: number;
    /** The largest distance of a channel's γ or β from its target. */
    readonly distance: number;
  }[];
  /** max |z̃ − z| / max |z| at the end. */
  readonly error: number;
}

async function measure(lab: Lab): Promise<Results> {
  const cases = pairs(['mnist-mlp', 'mnist-cnn'] as const, lab.seeds(3, 1));
  const layers = (await lab.each(cases, ([name, seed]) => activationsOf(lab, name, samples, seed))).flat();
  const exact = await lab.each(layers, (activations) => exactly(lab, activations));
  const last = layers.find(({ layer }) => layer === 'bn2');
  if (!last) throw new Error('internal: no second Batch Norm layer');
  const [learned] = await lab.each([last], (activations) => learn(lab, activations, lab.pick(150, 120)));
  if (!learned) throw new Error('internal: nothing learned');
  return { exact, learned };
}

async function exactly(lab: Lab, { network, layer, z, channels }: Activations): Promise<Exact> {
  const session = await lab.backend.createSession(normalizationOf(z));
  const feeds = {
    z,
    gamma: perChannel(channels.map(undoingScale)),
    beta: perChannel(channels.map(({ mean }) => mean)),
  };
  const y = floatsOf(await session.run(feeds), 'y');
  return { network, layer, values: z.data.length, error: relativeError(y, z.data) };
}

const undoingScale = ({ variance }: Moments): number => Math.sqrt(variance + epsilon);

const relativeError = (y: Float32Array, z: Float32Array): number =>
  largestDifference(y, z) / largestDifference(z, new Float32Array(z.length));

const perChannel = (values: readonly number[]): Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

/** Builds the graph of z̃ and of one step of gradient descent on ½ Σ over channels of the mean of (z̃ − z)². */
function normalizationOf({ shape }: Tensor<'float32'>): Graph {
  const [count = 1, C = 1, ...spatial] = shape;
  const g = graphBuilder();
  const z = g.input('z', { dtype: 'float32', shape });
  const gamma = g.input('gamma', { dtype: 'float32', shape: [C] });
  const beta = g.input('beta', { dtype: 'float32', shape: [C] });
  const [unusedMean, unusedVariance] = [
    g.initializer('mean', perChannel(range(C))),
    g.initializer('var', perChannel(range(C))),
  ];
  const [y] = g.BatchNormalization(z, gamma, beta, unusedMean, unusedVariance, {
    epsilon,
    momentum: 0,
    training_mode: 1,
  });
  const difference = g.Sub(y, z);
  const squares = g.ReduceSum(g.Mul(difference, difference), g.ints(shape.map((_, axis) => axis)), { keepdims: 0 });
  const m = count * elementCount(spatial);
  const loss = g.Mul(squares, g.scalar(0.5 / m));
  const [dGamma = gamma, dBeta = beta] = gradients(g, loss, [gamma, beta]);
  return checkGraph(g.build('identity', { y, loss, dGamma, dBeta }));
}

async function learn(lab: Lab, { z, channels }: Activations, steps: number): Promise<Learned> {
  const learningRate = 0.2;
  const session = await lab.backend.createSession(normalizationOf(z));
  const goal = {
    gamma: Float32Array.from(channels, undoingScale),
    beta: Float32Array.from(channels, ({ mean }) => mean),
  };
  let gamma: Float32Array = goal.gamma.map(() => 1);
  let beta: Float32Array = goal.beta.map(() => 0);
  const history: Learned['steps'][number][] = [];
  let y = z.data;
  for (let step = 0; step <= steps; step++) {
    const results = await session.run({ z, gamma: perChannel([...gamma]), beta: perChannel([...beta]) });
    const distance = Math.max(largestDifference(gamma, goal.gamma), largestDifference(beta, goal.beta));
    history.push({ loss: at(floatsOf(results, 'loss'), 0), distance });
    y = floatsOf(results, 'y');
    gamma = descend(gamma, floatsOf(results, 'dGamma'), learningRate);
    beta = descend(beta, floatsOf(results, 'dBeta'), learningRate);
  }
  return {
    learningRate,
    gamma: [...goal.gamma],
    beta: [...goal.beta],
    steps: history,
    error: relativeError(y, z.data),
  };
}

const descend = (theta: Float32Array, gradient: Float32Array, learningRate: number): Float32Array =>
  theta.map((value, i) => value - learningRate * present(gradient[i]));

export const identity = experiment<Results>({
  name: 'identity',
  title: 'γ and β can undo the normalization',
  claim:
    'With $\\gamma = \\sqrt{\\sigma^2 + \\varepsilon}$ and $\\beta = \\mu$ the layer is the identity: $\\tilde z = z$.',
  consequence:
    'Batch Norm takes nothing away from what a network can express: where normalizing is wrong, training can undo it.',
  measure,
  describe: ({ exact, learned }) => {
    const worst = Math.max(...exact.map(({ error }) => error));
    const values = exact.reduce((total, { values }) => total + values, 0);
    const [first, last] = [at(learned.steps, 0), at(learned.steps, learned.steps.length - 1)];
    return {
      method: [
        `The activations $z$ in front of every Batch Norm layer of \`mnist-mlp\` and \`mnist-cnn\` on ${samples} digits go through a layer with $\\gamma = \\sqrt{\\sigma^2+\\varepsilon}$, $\\beta = \\mu$, computed in float64: ${exact.length} mini-batches, ${number(values, 6)} values.`,
        `A layer of ${learned.gamma.length} channels starts at $\\gamma = 1$, $\\beta = 0$ and learns by gradient descent (rate ${learned.learningRate}) to give back what it gets.`,
      ],
      findings: [
        finding(
          'exact',
          worst < tolerance,
          `It is the identity to float32’s precision: $\\max|\\tilde z - z| / \\max|z|$ is at most ${number(worst, 2)} in all ${exact.length} mini-batches; one rounding is ${number(rounding, 2)}.`,
          `It is not the identity to float32’s precision: $\\max|\\tilde z - z| / \\max|z|$ reaches ${number(worst, 2)}.`,
        ),
        finding(
          'learned',
          last.distance < 1e-4 * first.distance && learned.error < 4 * tolerance,
          `Gradient descent finds it: the largest distance of any $\\gamma$, $\\beta$ falls from ${number(first.distance)} to ${number(last.distance, 2)} in ${learned.steps.length - 1} steps, and the error of $\\tilde z$ to ${number(learned.error, 2)}.`,
          `Gradient descent does not reach it in ${learned.steps.length - 1} steps: the largest distance of a $\\gamma$ or $\\beta$ is still ${number(last.distance, 2)}.`,
        ),
      ],
      figures: [
        {
          caption: `Set: the error of every mini-batch, in multiples of one float32 rounding. Learned: the distance from $\\gamma = \\sqrt{\\sigma^2+\\varepsilon}$, $\\beta = \\mu$, the farthest channel’s, falls to rounding.`,
          panels: [exactPanel(exact), learnedPanel(learned)],
        },
      ],
    };
  },
});

const exactPanel = (exact: Results['exact']) =>
  panel({
    title: 'γ, β set',
    alt: 'Error of each mini-batch in roundings, by layer',
    marginLeft: 110,
    x: { label: 'max |z̃ − z| / max |z|, in roundings', zero: true, ticks: 5 },
    y: { label: null, type: 'band' },
    marks: [
      Plot.ruleX([0]),
      Plot.dot(exact, {
        x: ({ error }: Exact) => error / rounding,
        y: ({ network, layer }: Exact) => `${network} ${layer}`,
        stroke: colours.blue,
        fill: 'var(--card)',
        r: 3.5,
        strokeWidth: 1.75,
      }),
    ],
  });

const learnedPanel = ({ steps }: Learned) =>
  panel({
    title: 'γ, β learned',
    alt: 'Distance from the identity over the steps, falling',
    x: { label: 'step' },
    y: { label: 'largest distance', type: 'log', grid: true, ticks: 5, tickFormat: power },
    marks: [
      Plot.line(
        steps.filter(({ distance }) => distance > 0),
        { x: (_, i) => i, y: 'distance', stroke: colours.blue, strokeWidth: 2 },
      ),
    ],
  });
