/** Measures the loss surface of differently encoded inputs, and how fast networks learn from each. */
import { at, elementCount, present } from '../../../../training/arrays/index.ts';
import type { ClassificationDataset } from '../../../../training/data/index.ts';
import { dense, flatten, type Network, planNetwork } from '../../../../training/network/index.ts';
import { createEvaluator } from '../../../../training/trainer/index.ts';
import { centred, spectrumOf } from '../../lab/covariance.ts';
import { encode, type EncodingName, encodingNames, encodings } from '../../lab/encodings.ts';
import { dot, type Landscape, landscapeOf } from '../../lab/landscape.ts';
import { firstOf, type Lab } from '../../lab/lab.ts';
import { mlp } from '../../lab/networks.ts';
import { pairs, range } from '../../lab/range.ts';
import { freshTensors, trained, training, withInputStatistics } from '../../lab/training.ts';

export const models = ['logistic regression', 'mnist-mlp without Batch Norm', 'mnist-mlp'] as const;
export type Model = (typeof models)[number];

const networks: { readonly [M in Model]: (per: Network['inputNormalization']) => Network } = {
  'logistic regression': (inputNormalization) => ({
    name: 'logistic regression',
    inputShape: [1, 28, 28],
    inputNormalization,
    layers: [flatten(), dense(10)],
  }),
  'mnist-mlp without Batch Norm': (inputNormalization) => mlp({ batchNorm: false, inputNormalization }),
  'mnist-mlp': (inputNormalization) => mlp({ batchNorm: true, inputNormalization }),
};

/** Holds the target of the mean training loss over a stretch of steps. */
export const targets: { readonly [M in Model]: number } = {
  'logistic regression': 0.4,
  'mnist-mlp without Batch Norm': 0.2,
  'mnist-mlp': 0.2,
};
export const every = 20;

export interface Results {
  readonly limit: number;
  readonly samples: number;
  readonly surfaces: readonly Surface[];
  readonly runs: readonly Run[];
}

export interface Surface {
  readonly encoding: EncodingName;
  /** The eigenvalues of the features' covariance. */
  readonly covariance: readonly number[];
  /** The eigenvalues of E[x xᵀ] with a 1 appended to x for the bias: the curvature of the loss surface. */
  readonly curvature: readonly number[];
  readonly landscape: Landscape;
}

interface Run {
  readonly model: Model;
  readonly encoding: EncodingName;
  readonly learningRate: number;
  readonly seed: number;
  /** Counts the steps to the target loss; null when it was not reached. */
  readonly steps: number | null;
}

export async function measure(lab: Lab): Promise<Results> {
  const limit = lab.pick(1200, 240);
  const samples = lab.pick(2500, 1000);
  const searched = await lab.each(
    pairs(lab.pick<readonly Model[]>(models, models.slice(0, 2)), encodingNames),
    ([model, encoding]) => search(lab, model, encoding, limit),
  );
  const point = await solution(lab);
  const surfaces = await lab.each(encodingNames, (encoding) =>
    Promise.resolve(surfaceOf(lab, encoding, { samples, point })),
  );
  return { limit, samples, surfaces, runs: searched.flat() };
}

/** Tries every rate with one seed, then the best one with others. */
async function search(lab: Lab, model: Model, encoding: EncodingName, limit: number): Promise<readonly Run[]> {
  const { per, statistics } = encodings[encoding];
  const network = networks[model](per);
  const encoded = statistics(lab, lab.data.train);
  const plan = planNetwork(network);
  const start = (seed: number) => withInputStatistics(plan, freshTensors(lab, plan, seed), encoded);
  const runs: Run[] = [];
  const run = async (learningRate: number, seed: number, max: number) => {
    const steps = await stepsTo(
      targets[model],
      training(lab, network, { optimizer: 'sgd', learningRate, seed, steps: max, every, tensors: start(seed) }),
    );
    runs.push({ model, encoding, learningRate, seed, steps });
    return steps;
  };
  const rates =
    encoding === 'raw'
      ? range(7).map((i) => 10 ** (-7 + i))
      : range(lab.pick(8, 4)).map((i) => 10 ** (-3 + i / lab.pick(2, 1)));
  let best = { rate: at(rates, 0), steps: Infinity };
  for (const rate of rates) {
    const steps = await run(rate, 1, limit);
    if (steps !== null && steps < best.steps) best = { rate, steps };
  }
  for (const seed of lab.seeds(5, 3).slice(1)) await run(best.rate, seed, limit);
  return runs;
}

async function stepsTo(target: number, pauses: ReturnType<typeof training>): Promise<number | null> {
  for await (const { step, loss } of pauses) {
    if (!Number.isFinite(loss)) return null;
    if (loss <= target) return step;
  }
  return null;
}

const border = 4;
const side = 10;
const reducedShape = [1, side, side] as const;

/**
 * Reduces digits to 10 × 10 pixels: the 20 × 20 pixels in the middle, where MNIST's digits are, averaged two by two.
 * All of them vary.
 *
 * @param dataset images of 28 × 28 pixels
 */
function reduced(dataset: ClassificationDataset): ClassificationDataset {
  const { inputs, inputShape, count } = dataset;
  const size = elementCount(inputShape);
  const columns = at(inputShape, inputShape.length - 1);
  const corners = range(side * side).map(
    (i) => (border + 2 * Math.floor(i / side)) * columns + border + 2 * (i % side),
  );
  const cells = Uint8Array.from({ length: count * corners.length }, (_, i) => {
    const corner = Math.floor(i / corners.length) * size + present(corners[i % corners.length]);
    const four = [corner, corner + 1, corner + columns, corner + columns + 1].map((pixel) => present(inputs[pixel]));
    return Math.round(four.reduce((a, b) => a + b) / 4);
  });
  return { ...dataset, inputs: cells, inputShape: reducedShape };
}

/** Returns the logits of a trained logistic regression: the point around which every encoding's surface is drawn. */
async function solution(lab: Lab) {
  const network: Network = { ...networks['logistic regression']('channel'), inputShape: reducedShape };
  const train = reduced(firstOf(lab.data.train, 20_000));
  const images = firstOf(train, 1000);
  const tensors = await trained(lab, network, {
    optimizer: 'adam',
    learningRate: 0.001,
    seed: 1,
    train,
    steps: lab.pick(1500, 400),
  });
  const evaluator = await createEvaluator(lab.backend, planNetwork(network));
  const logits = await evaluator.logits(tensors, images);
  return { images, logits: range(images.count).map((i) => [...logits.subarray(10 * i, 10 * (i + 1))]) };
}

interface Drawn {
  readonly samples: number;
  readonly point: Awaited<ReturnType<typeof solution>>;
}

function surfaceOf(lab: Lab, encoding: EncodingName, { samples, point: { images, logits } }: Drawn): Surface {
  const train = reduced(firstOf(lab.data.train, samples));
  const statistics = encodings[encoding].statistics(lab, train);
  const rows = encode(train, statistics);
  const covariance = spectrumOf(centred(rows)).values;
  const curvature = spectrumOf(rows.map(withOne));
  const largest = Math.sqrt(at(curvature.values, 0));
  const shown = encode(images, statistics).map(withOne);
  const along = curvature.leading.map((direction) => shown.map((row) => dot(row, direction))) as [number[], number[]];
  return {
    encoding,
    covariance,
    curvature: curvature.values,
    landscape: landscapeOf(logits, images.labels, along, 6 / largest),
  };
}

const withOne = (row: Float64Array): Float64Array => Float64Array.of(...row, 1);
