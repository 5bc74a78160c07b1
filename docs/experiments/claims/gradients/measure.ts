/** Computes the gradients of one mini-batch in three ways, and how far they are apart. */
import { at, present } from '../../../../training/arrays/index.ts';
import { gradients as differentiate } from '../../../../training/autodiff/index.ts';
import { createRandom, type Random } from '../../../../training/data/index.ts';
import { checkGraph, type Graph, graphBuilder, type Tensor, type Value } from '../../../../training/graph/index.ts';
import { floatsOf } from '../../../../training/trainer/index.ts';
import { type Activations, activationsOf } from '../../lab/activations.ts';
import { channelsOf } from '../../lab/channels.ts';
import {
  centralDifference,
  type Channel,
  type ChannelGradients,
  derivedGradients,
  normalize,
} from '../../lab/formulas.ts';
import type { Lab } from '../../lab/lab.ts';
import { range } from '../../lab/range.ts';
import { sum } from '../../lab/statistics.ts';

const epsilon = 1e-5;
const samples = 64;
/** The number of entries of z in each case whose gradient is also computed by differences. */
export const probed = 64;
/** The steps of the differences, in units of the variable. */
const steps = range(10).map((i) => 10 ** -i);
export const chosenStep = 1e-4;

const cases = {
  dense: { network: 'mnist-mlp', layer: 'bn2' },
  convolution: { network: 'mnist-cnn', layer: 'bn2' },
} as const;
type Case = keyof typeof cases;

const quantities = ['γ', 'β', 'z'] as const;
type Quantity = (typeof quantities)[number];

export interface Results {
  readonly comparisons: readonly Comparison[];
  /** The error of the differences against the formulas, by their step, for z. */
  readonly sweep: readonly { readonly case: Case; readonly step: number; readonly error: number }[];
  readonly sizes: Readonly<Record<Case, readonly number[]>>;
}

/** Holds the largest differences, as shares of the largest gradient of the quantity. */
export interface Comparison {
  readonly case: Case;
  readonly seed: number;
  readonly quantity: Quantity;
  readonly autodiffAndFormula: number;
  readonly formulaAndDifferences: number;
  readonly autodiffAndDifferences: number;
}

/** Holds one mini-batch of z with γ, β and the weights r of the loss L = Σ r (z̃ + ½ z̃²), in float64. */
interface Problem {
  readonly z: Tensor<'float32'>;
  readonly channels: readonly Channel[];
  readonly weights: readonly Float64Array[];
}

export async function measure(lab: Lab): Promise<Results> {
  const work = (Object.keys(cases) as Case[]).flatMap((name) => lab.seeds(3, 1).map((seed) => ({ name, seed })));
  const all = await lab.each(work, async ({ name, seed }) => {
    const found = await activationsOf(lab, cases[name].network, samples, seed);
    const activations = found.find(({ layer }) => layer === cases[name].layer);
    if (!activations) throw new Error(`internal: no layer ${cases[name].layer}`);
    const problem = problemOf(activations, createRandom(seed).fork(name));
    return { name, seed, problem, ...(await compare(lab, name, seed, problem)) };
  });
  const sizeOf = (wanted: Case) => all.find(({ name }) => name === wanted)?.problem.z.shape ?? [];
  return {
    comparisons: all.flatMap(({ comparisons }) => comparisons),
    sweep: all.filter(({ seed }) => seed === 1).flatMap(({ sweep }) => sweep),
    sizes: { dense: sizeOf('dense'), convolution: sizeOf('convolution') },
  };
}

function problemOf({ z, channels }: Activations, random: Random): Problem {
  const values = channelsOf(z.data, channels.length, samples);
  return {
    z,
    channels: values.map((own) => ({
      z: own,
      gamma: Math.fround(1 + 0.5 * random.normal()),
      beta: Math.fround(random.normal()),
      epsilon,
    })),
    weights: values.map((own) => own.map(() => Math.fround(random.normal()))),
  };
}

async function compare(lab: Lab, name: Case, seed: number, problem: Problem) {
  const derived = problem.channels.map((channel, c) => derive(channel, at(problem.weights, c)));
  const automatic = await byAutodiff(lab, problem);
  const entries = probedEntries(problem, seed);
  const exact = pickAll(derived, entries);
  const atChosen = byDifferences(problem, entries, chosenStep);
  const comparisons = quantities.map((quantity): Comparison => {
    const scale = Math.max(...exact[quantity].map(Math.abs));
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.max(...a.map((value, i) => Math.abs(value - at(b, i)))) / scale;
    const graph = pickAll(automatic, entries)[quantity];
    return {
      case: name,
      seed,
      quantity,
      autodiffAndFormula: distance(graph, exact[quantity]),
      formulaAndDifferences: distance(exact[quantity], atChosen[quantity]),
      autodiffAndDifferences: distance(graph, atChosen[quantity]),
    };
  });
  const scale = Math.max(...exact.z.map(Math.abs));
  const sweep = steps.map((step) => {
    const errors = inputDifferences(problem, entries, step).map((value, i) => Math.abs(value - at(exact.z, i)));
    return { case: name, step, error: Math.max(...errors) / scale };
  });
  return { comparisons, sweep };
}

/** Derives the gradients from dz̃ = r (1 + z̃). */
function derive(channel: Channel, weights: Float64Array): ChannelGradients {
  const out = normalize(channel);
  return derivedGradients(
    channel,
    weights.map((r, i) => r * (1 + present(out[i]))),
  );
}

interface Entry {
  readonly channel: number;
  readonly index: number;
}

/** Returns entries of z, spread over all channels. */
function probedEntries({ channels }: Problem, seed: number): readonly Entry[] {
  const random = createRandom(seed).fork('entries');
  return range(probed).map((i) => {
    const channel = i % channels.length;
    return { channel, index: Math.floor(random.uniform() * at(channels, channel).z.length) };
  });
}

type Gradients = Readonly<Record<Quantity, readonly number[]>>;

const pickAll = (channels: readonly ChannelGradients[], entries: readonly Entry[]): Gradients => ({
  γ: channels.map(({ dGamma }) => dGamma),
  β: channels.map(({ dBeta }) => dBeta),
  z: entries.map(({ channel, index }) => at(at(channels, channel).dz, index)),
});

/** Computes L of one channel: Σ r (z̃ + ½ z̃²). */
function lossOf(problem: Problem, channel: Channel, c: number): number {
  const weights = at(problem.weights, c);
  return sum(normalize(channel).map((out, i) => present(weights[i]) * (out + out ** 2 / 2)));
}

function byDifferences(problem: Problem, entries: readonly Entry[], step: number): Gradients {
  const by = (change: (channel: Channel, x: number) => Channel, of: (channel: Channel) => number) =>
    problem.channels.map((channel, c) =>
      centralDifference((x) => lossOf(problem, change(channel, x), c), of(channel), step),
    );
  return {
    γ: by(
      (channel, gamma) => ({ ...channel, gamma }),
      ({ gamma }) => gamma,
    ),
    β: by(
      (channel, beta) => ({ ...channel, beta }),
      ({ beta }) => beta,
    ),
    z: inputDifferences(problem, entries, step),
  };
}

const inputDifferences = (problem: Problem, entries: readonly Entry[], step: number): readonly number[] =>
  entries.map(({ channel: c, index }) => {
    const channel = at(problem.channels, c);
    const changed = (x: number) => lossOf(problem, { ...channel, z: channel.z.with(index, x) }, c);
    return centralDifference(changed, at(channel.z, index), step);
  });

/** Computes the training graph's own gradients, in float32 on ONNX Runtime. */
async function byAutodiff(lab: Lab, { z, channels, weights }: Problem): Promise<readonly ChannelGradients[]> {
  const session = await lab.backend.createSession(lossGraph(z.shape));
  const vector = (values: readonly number[]): Tensor<'float32'> => ({
    dtype: 'float32',
    shape: [values.length],
    data: Float32Array.from(values),
  });
  const results = await session.run({
    z,
    r: { ...z, data: fromChannels(weights, z) },
    mean: vector(channels.map(() => 0)),
    var: vector(channels.map(() => 1)),
    gamma: vector(channels.map(({ gamma }) => gamma)),
    beta: vector(channels.map(({ beta }) => beta)),
  });
  const dz = channelsOf(floatsOf(results, 'dz'), channels.length, samples);
  const [dGamma, dBeta] = [floatsOf(results, 'dGamma'), floatsOf(results, 'dBeta')];
  return dz.map((own, c) => ({ dz: own, dGamma: at(dGamma, c), dBeta: at(dBeta, c) }));
}

/** Inverts `channelsOf`. */
function fromChannels(channels: readonly Float64Array[], { shape, data }: Tensor<'float32'>): Float32Array {
  const size = data.length / (samples * at(shape, 1));
  return data.map((_, i) => {
    const [row, within] = [Math.floor(i / size), i % size];
    return at(at(channels, row % channels.length), Math.floor(row / channels.length) * size + within);
  });
}

function lossGraph(shape: readonly number[]): Graph {
  const g = graphBuilder();
  const input = (name: string, dims: readonly number[]) => g.input(name, { dtype: 'float32', shape: dims });
  const C = [at(shape, 1)];
  const [z, r, gamma, beta] = [input('z', shape), input('r', shape), input('gamma', C), input('beta', C)];
  const unused = ['mean', 'var'].map((name) => input(name, C)) as [Value, Value];
  const [out] = g.BatchNormalization(z, gamma, beta, ...unused, { epsilon, momentum: 0, training_mode: 1 });
  const terms = g.Mul(r, g.Add(out, g.Mul(g.Mul(out, out), g.scalar(0.5))));
  const loss = g.ReduceSum(terms, g.ints(shape.map((_, axis) => axis)), { keepdims: 0 });
  const [dz = z, dGamma = gamma, dBeta = beta] = differentiate(g, loss, [z, gamma, beta]);
  return checkGraph(g.build('gradients of Batch Norm', { dz, dGamma, dBeta }));
}
