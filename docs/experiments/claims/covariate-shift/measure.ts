/** Measures how steady the input of later layers is, and what steadiness is worth. */
import { at, present } from '../../../../training/arrays/index.ts';
import { subset } from '../../../../training/data/index.ts';
import { type Network, type Plan, planNetwork } from '../../../../training/network/index.ts';
import { createEvaluator, populationStatistics, type State } from '../../../../training/trainer/index.ts';
import { channelsOf, moments as momentsOf } from '../../lab/channels.ts';
import { jitteredTraining } from '../../lab/jitter.ts';
import { firstOf, type Lab } from '../../lab/lab.ts';
import { denseNetwork, mlp } from '../../lab/networks.ts';
import { createGradientProbe, createProbe, type LossAndGradients } from '../../lab/probe.ts';
import { pairs, range } from '../../lab/range.ts';
import { type ShiftName, shifted, shifts } from '../../lab/shifts.ts';
import { mean, sum } from '../../lab/statistics.ts';
import { trained, training } from '../../lab/training.ts';

export const depth = 5;
export const width = 100;
export const learningRate = 0.1;
export const batchSize = 64;
export const every = 20;
/** Names the layer whose input is watched: the last hidden one. */
const watched = `fc${depth}`;
/** The number of the layer whose gradient is watched, in the middle. */
export const middle = 3;

export interface Results {
  readonly steps: number;
  readonly runs: readonly Run[];
  readonly shifts: readonly Shifted[];
  readonly testImages: number;
}

export const variants = ['with', 'without', 'jittered'] as const;
export type Variant = (typeof variants)[number];

interface Run {
  readonly variant: Variant;
  readonly seed: number;
  readonly moments: readonly Moment[];
}

/** Holds measurements of the network at one moment of its training. */
export interface Moment {
  readonly step: number;
  /** The mean over the mini-batches since the last moment. */
  readonly loss: number;
  /** The 15th, 50th and 85th percentile of what one unit's activation gets. */
  readonly unit: readonly number[];
  /**
   * Measures how far the inputs of the activations have moved since the last moment: the root mean square over the
   * units of the mean's move, in deviations.
   */
  readonly drift: number | null;
  /** The change ‖g − g′‖ / ‖g‖ of the middle layer's gradient when only the layers before it take their step. */
  readonly gradientShift: number;
  /** The change ‖g − g′‖ / ‖g‖ of the whole gradient when all layers take their step. */
  readonly gradientChange: number;
}

export interface Shifted {
  readonly seed: number;
  readonly shift: ShiftName;
  readonly plain: number;
  readonly running: number;
  /** The accuracy with μ and σ² from shifted training images. */
  readonly estimatedAnew: number;
}

export async function measure(lab: Lab): Promise<Results> {
  const steps = lab.pick(600, 200);
  const runs = await lab.each(pairs(variants, lab.seeds(5, 3)), ([variant, seed]) => watch(lab, variant, seed, steps));
  const testImages = lab.pick(5000, 1000);
  const shiftedRuns = await lab.each(lab.seeds(3, 2), (seed) => testShifted(lab, seed, testImages));
  return { steps, runs, shifts: shiftedRuns.flat(), testImages };
}

async function watch(lab: Lab, variant: Variant, seed: number, steps: number): Promise<Run> {
  const batchNorm = variant !== 'without';
  const network = denseNetwork({ depth, width, batchNorm });
  const plan = planNetwork(network);
  const images = firstOf(lab.data.validation, 500);
  const node = batchNorm ? `bn${depth}/BatchNormalization` : `${watched}/Gemm`;
  const probe = await createProbe(lab, plan, [node], 'batchStatistics');
  const gradientsOf = await gradientProbe(lab, plan, seed);
  const moments: Moment[] = [];
  let before: readonly Distribution[] | undefined;
  const settings = { optimizer: 'sgd', learningRate, seed, batchSize, steps, every } as const;
  const pauses = variant === 'jittered' ? jitteredTraining(lab, network, settings) : training(lab, network, settings);
  for await (const { step, loss, tensors } of pauses) {
    const z = channelsOf((await probe(tensors, images))[node] ?? new Float32Array(), width, images.count);
    const units = z.map(momentsOf).map(({ mean, variance }) => ({ mean, deviation: Math.sqrt(variance) }));
    moments.push({
      step,
      loss,
      unit: percentiles(z[0] ?? new Float64Array()),
      drift: before ? driftBetween(before, units) : null,
      ...(await gradientsOf(tensors)),
    });
    before = units;
  }
  return { variant, seed, moments };
}

interface Distribution {
  readonly mean: number;
  readonly deviation: number;
}

function driftBetween(before: readonly Distribution[], after: readonly Distribution[]): number {
  // A unit with the same output for every image has no deviation to measure by.
  const moves = before.flatMap(({ mean, deviation }, unit) =>
    deviation > 1e-3 ? [((at(after, unit).mean - mean) / deviation) ** 2] : [],
  );
  return Math.sqrt(mean(moves));
}

function percentiles(values: Float64Array): readonly number[] {
  const sorted = values.toSorted();
  return [0.15, 0.5, 0.85].map((share) => at(sorted, Math.round(share * (sorted.length - 1))));
}

/**
 * Measures internal covariate shift as Santurkar et al. 2018 define it, https://arxiv.org/abs/1805.11604, definition
 * 2.1: how much the gradient of a layer changes when the layers before it take their step of gradient descent on the
 * same mini-batch.
 */
async function gradientProbe(lab: Lab, plan: Plan, seed: number) {
  const probe = await createGradientProbe(lab, plan, batchSize);
  const batch = subset(
    lab.data.train,
    Int32Array.from(range(batchSize), (i) => batchSize * seed + i),
  );
  const own = `fc${middle}.weight`;
  return async (tensors: State) => {
    const now = await probe(tensors, batch);
    const names = [...now.gradients.keys()];
    const earlier = names.filter((name) => Number(/\d+/.exec(name)?.[0]) < middle);
    const shiftedBefore = await probe(stepped(tensors, now, earlier), batch);
    const afterStep = await probe(stepped(tensors, now, names), batch);
    return {
      gradientShift: relativeChange(now, shiftedBefore, [own]),
      gradientChange: relativeChange(now, afterStep, names),
    };
  };
}

/** Computes θ − α g for the named parameters. */
function stepped(tensors: State, { gradients }: LossAndGradients, names: readonly string[]): State {
  const moved = names.flatMap((name) => {
    const [tensor, gradient] = [tensors.get(name), gradients.get(name)];
    if (!tensor || !gradient) return [];
    return [[name, { ...tensor, data: tensor.data.map((w, i) => w - learningRate * present(gradient[i])) }] as const];
  });
  return new Map([...tensors, ...moved]);
}

/** Computes ‖g − g′‖ / ‖g‖ over the named parameters as one vector. */
function relativeChange(a: LossAndGradients, b: LossAndGradients, names: readonly string[]): number {
  const squares = (term: (x: number, y: number) => number) =>
    sum(
      names.map((name) => {
        const [x, y] = [a.gradients.get(name) ?? new Float32Array(), b.gradients.get(name) ?? new Float32Array()];
        return sum(x.map((value, i) => term(value, present(y[i]))));
      }),
    );
  return Math.sqrt(squares((x, y) => (x - y) ** 2) / squares((x) => x ** 2));
}

async function testShifted(lab: Lab, seed: number, count: number): Promise<readonly Shifted[]> {
  const settings = { optimizer: 'adam', learningRate: 0.001, seed, steps: lab.pick(859, 200) } as const;
  const [norm, plain] = [mlp({ batchNorm: true }), mlp({ batchNorm: false })];
  const plan = planNetwork(norm);
  const [normTensors, plainTensors] = [await trained(lab, norm, settings), await trained(lab, plain, settings)];
  const [test, train] = [firstOf(lab.data.test, count), firstOf(lab.data.train, 2000)];
  const names = Object.keys(shifts) as ShiftName[];
  const results: Shifted[] = [];
  for (const shift of names) {
    const images = shifted(test, shift);
    const anew = await populationStatistics(lab.backend, plan, normTensors, shifted(train, shift));
    const accuracy = async (network: Network, tensors: State) => {
      const evaluator = await createEvaluator(lab.backend, planNetwork(network));
      return (await evaluator.evaluate(tensors, images)).score;
    };
    results.push({
      seed,
      shift,
      plain: await accuracy(plain, plainTensors),
      running: await accuracy(norm, normTensors),
      estimatedAnew: await accuracy(norm, anew),
    });
  }
  return results;
}
