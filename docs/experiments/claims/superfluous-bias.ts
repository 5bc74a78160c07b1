/** Tests claim 4: z → BN → activation, and the bias before Batch Norm is superfluous. */
import * as Plot from '@observablehq/plot';
import { at, present } from '../../../training/arrays/index.ts';
import { gradients } from '../../../training/autodiff/index.ts';
import { createRandom, subset } from '../../../training/data/index.ts';
import { checkGraph, type Graph, graphBuilder, sizeOf, type Tensor } from '../../../training/graph/index.ts';
import {
  batchNorm,
  dense,
  flatten,
  isTrained,
  layersOf,
  layerTensorsOf,
  type Network,
  type NetworkName,
  networks,
  planNetwork,
  relu,
} from '../../../training/network/index.ts';
import { createEvaluator, floatsOf } from '../../../training/trainer/index.ts';
import { experiment, finding } from '../experiment.ts';
import { firstOf, type Lab } from '../lab/lab.ts';
import { pairs, range } from '../lab/range.ts';
import { clearlyBelow, largestDifference, sum } from '../lab/statistics.ts';
import { trained } from '../lab/training.ts';
import { colours, panel } from '../report/figure.ts';
import { list, number, percent, percentSpread } from '../report/format.ts';

const units = 64;
const samples = 64;
const rounding = 2 ** -24;

interface Results {
  /** Holds results of one mini-batch through dense → Batch Norm → ReLU → dense. */
  readonly biases: readonly Bias[];
  readonly parameters: readonly Count[];
  readonly order: { readonly steps: number; readonly before: readonly number[]; readonly after: readonly number[] };
}

interface Bias {
  readonly seed: number;
  /** The standard deviation of the bias. */
  readonly size: number;
  /** Measures max |∂L/∂b| as a share of max Σ |∂L/∂z|, the size of the terms that add up to it. */
  readonly gradient: number;
  /** The largest change of a logit by the bias, as a share of the largest logit. */
  readonly change: number;
}

interface Count {
  readonly network: NetworkName;
  readonly parameters: number;
  /** Counts the parameters that a bias before every Batch Norm would add. */
  readonly superfluous: number;
}

/** Returns the tolerance for a bias: one far larger than z leaves z fewer digits. */
const tolerance = ({ size }: Bias): number => 64 * rounding * Math.max(1, size);

async function measure(lab: Lab): Promise<Results> {
  const sizes = [0.1, 1, 10];
  const biases = await lab.each(pairs(sizes, lab.seeds(5, 2)), ([size, seed]) => addBias(lab, size, seed));
  const steps = lab.pick(859, 150);
  const accuracies = (network: Network) =>
    lab.each(lab.seeds(5, 2), async (seed) => {
      const tensors = await trained(lab, network, { optimizer: 'adam', learningRate: 0.001, seed, steps });
      const evaluator = await createEvaluator(lab.backend, planNetwork(network));
      return (await evaluator.evaluate(tensors, firstOf(lab.data.test, lab.pick(10_000, 2000)))).score;
    });
  return {
    biases,
    parameters: (Object.keys(networks) as NetworkName[]).map(countParameters),
    order: {
      steps,
      before: await accuracies(orderedNetwork('before')),
      after: await accuracies(orderedNetwork('after')),
    },
  };
}

const orderedNetwork = (order: 'before' | 'after'): Network => ({
  name: `Batch Norm ${order} ReLU`,
  inputShape: [1, 28, 28],
  inputNormalization: 'channel',
  layers: [
    flatten(),
    ...range(2).flatMap(() => [dense(256), ...(order === 'before' ? [batchNorm(), relu()] : [relu(), batchNorm()])]),
    dense(10),
  ],
});

async function addBias(lab: Lab, size: number, seed: number): Promise<Bias> {
  const session = await lab.backend.createSession(biasGraph());
  const random = createRandom(seed).fork('bias');
  const order = random.permutation(lab.data.train.count).subarray(0, samples);
  const { inputs, labels } = subset(lab.data.train, order);
  const normal = (deviation: number, ...shape: readonly number[]): Tensor<'float32'> => ({
    dtype: 'float32',
    shape,
    data: Float32Array.from(range(sizeOf(shape)), () => deviation * random.normal()),
  });
  const feeds = {
    x: { dtype: 'float32', shape: [samples, 784], data: Float32Array.from(inputs, (pixel) => pixel / 255) },
    labels: { dtype: 'int32', shape: [samples], data: labels },
    W: normal(Math.sqrt(2 / 784), units, 784),
    V: normal(Math.sqrt(2 / units), 10, units),
  } as const;
  const none = await session.run({ ...feeds, b: normal(0, units) });
  const some = await session.run({ ...feeds, b: normal(size, units) });
  const logits = floatsOf(none, 'logits');
  return {
    seed,
    size,
    gradient: largest(floatsOf(some, 'db')) / largest(columnSums(floatsOf(some, 'dz'))),
    change: largestDifference(floatsOf(some, 'logits'), logits) / largest(logits),
  };
}

const largest = (values: ArrayLike<number>): number => largestDifference(values, new Float32Array(values.length));

/** Computes Σ |z| over the samples: `[samples, units] -> [units]`. */
const columnSums = (values: Float32Array): readonly number[] =>
  range(units).map((unit) => sum(range(samples).map((i) => Math.abs(present(values[i * units + unit])))));

/** Builds the graph by hand, because the engine's layers have no bias before Batch Norm. */
function biasGraph(): Graph {
  const g = graphBuilder();
  const input = (name: string, ...shape: readonly number[]) => g.input(name, { dtype: 'float32', shape });
  const constant = (name: string, value: number) =>
    g.initializer(name, { dtype: 'float32', shape: [units], data: new Float32Array(units).fill(value) });
  const [x, W, b, V] = [input('x', samples, 784), input('W', units, 784), input('b', units), input('V', 10, units)];
  const labels = g.input('labels', { dtype: 'int32', shape: [samples] });
  const statistics = [constant('mean', 0), constant('var', 1)] as const;
  const attributes = { epsilon: 1e-5, momentum: 0, training_mode: 1 } as const;
  const z = g.Gemm(x, W, b, { transB: 1 });
  const [y] = g.BatchNormalization(z, constant('gamma', 1), constant('beta', 0), ...statistics, attributes);
  const logits = g.Gemm(g.Relu(y), V, undefined, { transB: 1 });
  const [loss] = g.SoftmaxCrossEntropyLoss(logits, labels, { reduction: 'mean' });
  const [db = b, dz = z] = gradients(g, loss, [b, z]);
  return checkGraph(g.build('bias', { logits, db, dz }));
}

function countParameters(name: NetworkName): Count {
  const plan = planNetwork(networks[name]);
  const sizes = layerTensorsOf(plan)
    .filter(isTrained)
    .map(({ shape }) => sizeOf(shape));
  const norms = layersOf(plan).filter(({ layer }) => layer.kind === 'batchNorm');
  return {
    network: name,
    parameters: sum(sizes),
    superfluous: sum(norms.map(({ outputShape }) => at(outputShape, 0))),
  };
}

export const superfluousBias = experiment<Results>({
  name: 'superfluous-bias',
  title: 'z → Batch Norm → activation, without b',
  claim:
    'Batch Norm stands between $z$ and the activation, and the bias $b$ of $z = W x + b$ is superfluous: the mean takes it away again, and $\\beta$ takes its place.',
  consequence:
    'Leave $b$ out of a layer that Batch Norm follows, as this project’s layers do; the gain is tidiness, not size.',
  measure,
  describe: ({ biases, parameters, order }) => {
    const [gradient, change] = [biases.map((bias) => bias.gradient), biases.map((bias) => bias.change)];
    const sizes = [...new Set(biases.map(({ size }) => size))];
    const different = clearlyBelow(order.before, order.after) || clearlyBelow(order.after, order.before);
    return {
      method: [
        `A bias with standard deviation ${list(sizes.map(String))} was put before Batch Norm in a network 784 → ${units} → Batch Norm → ReLU → 10, on mini-batches of ${samples} digits, ${biases.length} times in all.`,
        `\`mnist-mlp\` was trained with Batch Norm before and after the ReLU, ${number(order.steps, 4)} steps of 64, ${order.before.length} seeds each.`,
      ],
      findings: [
        finding(
          'zero-gradient',
          biases.every((bias) => bias.gradient < tolerance(bias)),
          `The bias gets no gradient: $\\max|\\partial L/\\partial b|$ is at most ${number(Math.max(...gradient), 2)} of $\\max \\sum |\\partial L/\\partial z|$, the size of what adds up to it; that is rounding (one is ${number(rounding, 2)}), and more with a larger bias, which takes digits from $z$.`,
          `The bias gets a gradient: $\\max|\\partial L/\\partial b|$ is up to ${number(Math.max(...gradient), 2)} of $\\max \\sum |\\partial L/\\partial z|$.`,
        ),
        finding(
          'no-change',
          biases.every((bias) => bias.change < tolerance(bias)),
          `It changes no answer: the logits move by at most ${number(Math.max(...change), 2)} of the largest, which is rounding as well.`,
          `It changes the answers: the logits move by up to ${number(Math.max(...change), 2)} of the largest.`,
        ),
        finding(
          'parameters',
          parameters.every(({ superfluous }) => superfluous > 0),
          `Leaving it out saves ${list(parameters.map(({ network, superfluous, parameters: all }) => `${number(superfluous, 4)} of ${number(all + superfluous, 7)} parameters (\`${network}\`)`))}: ${percent(Math.max(...parameters.map(({ superfluous, parameters: all }) => superfluous / (all + superfluous))), 2)} at most. It is superfluous, not expensive.`,
          'Nothing is saved.',
        ),
        finding(
          'order',
          !clearlyBelow(order.before, order.after),
          `With Batch Norm before the activation ${percentSpread(order.before, 2)} of the test images are right, after it ${percentSpread(order.after, 2)}: ${different ? 'clearly more before' : 'no clear difference; the order is a convention here'}.`,
          `The order is not what the claim says: with Batch Norm before the activation ${percentSpread(order.before, 2)} of the test images are right, after it clearly more, ${percentSpread(order.after, 2)}.`,
        ),
      ],
      figures: [
        {
          caption:
            'What a bias before Batch Norm does, by its size, one dot per mini-batch, in multiples of one float32 rounding: its own gradient, as a share of the size of what adds up to it, and the change of the logits, as a share of the largest.',
          panels: [
            biasPanel('gradient of b', biases, (bias) => bias.gradient),
            biasPanel('change of the logits', biases, (bias) => bias.change),
          ],
        },
      ],
    };
  },
});

const biasPanel = (title: string, biases: readonly Bias[], pick: (bias: Bias) => number) =>
  panel({
    title,
    alt: `${title} by the size of the bias`,
    x: { type: 'log', label: 'standard deviation of b', tickFormat: String, domain: [0.06, 16], ticks: 3 },
    y: { label: 'in roundings', grid: true, zero: true },
    marks: [
      Plot.ruleY([0]),
      Plot.dot(biases, {
        x: ({ size, seed }: Bias) => size * 1.08 ** (seed - 3),
        y: (bias: Bias) => pick(bias) / rounding,
        stroke: colours.blue,
        fill: 'var(--card)',
        r: 3.5,
        strokeWidth: 1.75,
      }),
    ],
  });
