/** Members agree with separate networks whose mean is the answer. Everything is computed in float64. */
import { beforeEach, describe, expect, test } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import { checkGraph, graphBuilder } from '../../../training/graph/index.ts';
import {
  batchNorm,
  dense,
  emitForward,
  heads,
  isTrained,
  type Layer,
  members,
  type Mode,
  planNetwork,
  relu,
  tensorsOf,
} from '../../../training/network/index.ts';
import { binary, emitMeanLoss, mse, multiclass, type Objective } from '../../../training/objective/index.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { expectClose } from '../../reference/close.ts';
import { type Arrays, evaluate } from '../../reference/evaluate.ts';
import type { NdArray } from '../../reference/ndarray.ts';
import { centralDifferences } from '../../reference/op-graphs.ts';
import { seeded } from '../../reference/random.ts';

const [features, count, samples] = [3, 3, 5];
/** The tolerance for Batch Norm's ε, stored as float32, and for the order of sums. */
const tolerance = { rtol: 1e-9 };

const hidden: readonly Layer[] = [dense(5), batchNorm(), relu(), dense(2), batchNorm(), relu()];
const planOf = (layers: readonly Layer[]) =>
  planNetwork({ name: 'net', inputShape: [features], inputNormalization: 'none', layers });
type Plan = ReturnType<typeof planOf>;

function tensorsFor(plan: Plan): Arrays {
  const random = seeded(7);
  return Object.fromEntries(
    tensorsOf(plan).map(({ name, shape, role }) => {
      const data = Float64Array.from({ length: elementCount(shape) }, () => {
        return role.kind === 'variance' ? 0.5 + random() : 2 * random() - 1;
      });
      return [name, { shape, data }];
    }),
  );
}

// Drawn anew for each test, so that its numbers do not depend on the tests before it.
let random = seeded(3);
beforeEach(() => {
  random = seeded(3);
});
const x: NdArray = {
  shape: [samples, features],
  data: Float64Array.from({ length: samples * features }, () => 2 * random() - 1),
};

function answers(plan: Plan, tensors: Arrays, mode: Mode, batch: number | string = samples, inputs = x): Arrays {
  const g = graphBuilder();
  const raw = g.input('x', { dtype: 'float32', shape: [batch, features] });
  const stored = tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
  const forward = emitForward(g, plan, raw, { mode, tensors: new Map(stored) });
  const outputs = { y: forward.output, ...(forward.members && { members: forward.members }) };
  return evaluate(checkGraph(g.build('net', outputs)), { ...tensors, x: inputs });
}

/**
 * Returns the tensors and inputs of a member as a separate network: the matrices are shared, all else is the member's
 * part.
 */
function alone(plan: Plan, tensors: Arrays, member: number): { readonly tensors: Arrays; readonly inputs: NdArray } {
  const partOf = ({ shape, data }: NdArray) => {
    const size = data.length / count;
    return { shape: shape.slice(1), data: data.slice(member * size, (member + 1) * size) };
  };
  const signs = partOf(tensors['members1.weight'] ?? x).data;
  const head = partOf(tensors['heads1.weight'] ?? x);
  const [inner = 0, units = 0] = head.shape;
  const transposed = Float64Array.from({ length: inner * units }, (_, i) => {
    return head.data[(i % inner) * units + Math.floor(i / inner)] ?? NaN;
  });
  const own = Object.entries(tensors).map(([name, tensor]) => {
    if (!name.startsWith('bn')) return [name, tensor] as const;
    const { data } = partOf(tensor);
    return [name, { shape: [data.length], data }] as const;
  });
  return {
    tensors: {
      ...Object.fromEntries(own),
      'fc3.weight': { shape: [units, inner], data: transposed },
      'fc3.bias': partOf(tensors['heads1.bias'] ?? x),
    },
    inputs: { shape: x.shape, data: x.data.map((value, i) => value * (signs[i % features] ?? NaN)) },
  };
}

/** Returns `[samples, count, units]`. */
function answersAlone(plan: Plan, tensors: Arrays, units: number, mode: Mode): NdArray {
  const single = planOf([...hidden, dense(units)]);
  const data = new Float64Array(samples * count * units);
  for (let member = 0; member < count; member++) {
    const own = alone(plan, tensors, member);
    const y = answers(single, own.tensors, mode, samples, own.inputs).y?.data ?? [];
    y.forEach((value, i) => {
      data[(Math.floor(i / units) * count + member) * units + (i % units)] = value;
    });
  }
  return { shape: [samples, count, units], data };
}

const ensembles = {
  softmax: { units: 3, objective: multiclass() },
  sigmoid: { units: 1, objective: binary() },
  values: { units: 1, objective: mse() },
} as const;
const cases = Object.entries(ensembles).map(([average, of]) => {
  const plan = planOf([members(count), ...hidden, heads(of.units, { average: average as keyof typeof ensembles })]);
  return { average: average as keyof typeof ensembles, ...of, plan, tensors: tensorsFor(plan) };
});

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/**
 * Returns the answer's meaning: the probabilities of classes, the probability of the second of two classes, or a
 * number.
 */
function meaning(average: keyof typeof ensembles, z: readonly number[]): readonly number[] {
  if (average === 'values') return z;
  if (average === 'sigmoid') return z.map(sigmoid);
  const sum = z.reduce((total, value) => total + Math.exp(value), 0);
  return z.map((value) => Math.exp(value) / sum);
}

describe.each(cases)('members whose $average have a mean', ({ average, units, plan, tensors, objective }) => {
  test.each<Mode>(['train', 'frozenTrain', 'inference', 'batchStatistics'])(
    'answer each as the network that it would be alone, in mode %s',
    (mode) => {
      const got = answers(plan, tensors, mode).members;
      expectClose('members', got, answersAlone(plan, tensors, units, mode), tolerance);
    },
  );

  test.each([samples, 'N'])('answer together with that mean, in a batch of %s', (batch) => {
    const { data } = answersAlone(plan, tensors, units, 'inference');
    const y = answers(plan, tensors, 'inference', batch).y ?? x;
    expect(y.shape).toEqual([samples, units]);
    for (let sample = 0; sample < samples; sample++) {
      const each = Array.from({ length: count }, (_, member) => {
        const at = (sample * count + member) * units;
        return meaning(average, [...data.slice(at, at + units)]);
      });
      const mean = each[0]?.map((_, k) => each.reduce((sum, one) => sum + (one[k] ?? NaN), 0) / count) ?? [];
      const got = meaning(average, [...y.data.slice(sample * units, (sample + 1) * units)]);
      got.forEach((value, k) => {
        expect(Math.abs(value - (mean[k] ?? NaN)), `sample ${sample}, output ${k}`).toBeLessThan(1e-7);
      });
    }
  });

  test('learn by the mean of their own losses, whose gradients are central differences', () => {
    const { dtype, data } = targetsFor(objective);
    const g = graphBuilder();
    const raw = g.input('x', { dtype: 'float32', shape: [samples, features] });
    const targets = g.input('targets', { dtype, shape: [samples] });
    const specs = tensorsOf(plan);
    const stored = specs.map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
    const forward = emitForward(g, plan, raw, { mode: 'train', tensors: new Map(stored) });
    const loss = emitMeanLoss(g, objective, forward.members ?? forward.output, targets);
    const trained = stored.filter((_, i) => specs.slice(i, i + 1).some(isTrained));
    const slopes = gradients(g, loss, trained.map(([, value]) => value)); // oxfmt-ignore
    const outputs = trained.map(([name], i) => [`d_${name}`, slopes[i] ?? loss] as const);
    const graph = checkGraph(g.build('loss', { loss, ...Object.fromEntries(outputs) }));
    const feeds = { ...tensors, x, targets: { shape: [samples], data: Float64Array.from(data) } };
    const got = evaluate(graph, feeds);
    const own = answersAlone(plan, tensors, units, 'train').data;
    const expected = Array.from({ length: samples * count }, (_, row) => {
      return lossOf(average, [...own.slice(row * units, (row + 1) * units)], data[Math.floor(row / count)] ?? NaN);
    });
    const mean = expected.reduce((sum, value) => sum + value / expected.length, 0);
    expect(got.loss?.data[0]).toBeCloseTo(mean, 7);
    for (const [name] of trained) {
      expectClose(name, got[`d_${name}`], centralDifferences(graph, feeds, name), { rtol: 1e-6, atol: 1e-10 });
    }
  });
});

const targetsFor = ({ kind }: Objective) =>
  kind === 'mse'
    ? { dtype: 'float32' as const, data: [0.5, -1, 2, 0, 1] }
    : { dtype: 'int32' as const, data: kind === 'binary' ? [0, 1, 1, 0, 1] : [0, 2, 1, 1, 0] };

/** Computes the loss in plain float64: −ln p of the class, or the square of the error. */
function lossOf(average: keyof typeof ensembles, z: readonly number[], target: number): number {
  if (average === 'values') return ((z[0] ?? NaN) - target) ** 2;
  const p = meaning(average, z);
  return -Math.log(average === 'softmax' ? (p[target] ?? NaN) : target === 1 ? (p[0] ?? NaN) : 1 - (p[0] ?? NaN));
}

test.each(['softmax', 'sigmoid'] as const)('the mean of %s stays a number where members are very sure', (average) => {
  const units = ensembles[average].units;
  const plan = planOf([members(2), heads(units, { average })]);
  const ones = (shape: readonly number[], value: number) => ({
    shape,
    data: new Float64Array(elementCount(shape)).fill(value),
  });
  const weight = ones([2, features, units], 0);
  weight.data[0] = 1;
  const tensors = {
    'members1.weight': ones([2, features], 1),
    'heads1.weight': weight,
    'heads1.bias': ones([2, units], 0),
  };
  const sure = { shape: [2, features], data: Float64Array.of(1000, 0, 0, -1000, 0, 0) };
  const { y } = answers(plan, tensors, 'inference', 'N', sure);
  for (const value of y?.data ?? [NaN]) expect(Number.isFinite(value)).toBe(true);
});
