/** The suite that every backend passes: each op forward and backward, and the losses of real training. */
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../training/backend/index.ts';
import type { Graph } from '../../training/graph/index.ts';
import {
  batchNorm,
  conv2d,
  dense,
  dropout,
  flatten,
  maxPool,
  type Network,
  planNetwork,
  relu,
} from '../../training/network/index.ts';
import { train, type TrainingConfig } from '../../training/trainer/index.ts';
import { twoClouds } from '../ort/samples.ts';
import { opCases } from '../reference/cases/index.ts';
import { expectClose, type Tolerance } from '../reference/close.ts';
import { type Arrays, evaluate } from '../reference/evaluate.ts';
import { feedsFor, forwardGraph, gradientGraph } from '../reference/op-graphs.ts';
import { lossCurve, mnistImages } from './loss-curve.ts';
import { type Direction, isOfVectors, type OpCase, type ProviderName, skipReason } from './providers.ts';
import { arrayOf, tensorsFor } from './tensors.ts';

/** The tolerances of float32. Central differences, which gradients are compared with, are off by 10⁻¹⁰. */
const directions = {
  forward: { graphOf: forwardGraph, cases: opCases, tolerance: { rtol: 5e-6, ofLargest: 5e-7 } },
  gradient: {
    graphOf: gradientGraph,
    cases: opCases.filter(({ forwardOnly }) => forwardOnly === undefined),
    tolerance: { rtol: 2e-5, atol: 1e-9, ofLargest: 5e-7 },
  },
} as const;

/** Returns the graph that tests a case. */
export const opGraph = (row: OpCase, direction: Direction): Graph => directions[direction].graphOf(row);

/**
 * Compares float32 on the device with float64.
 *
 * @param prepare changes the parts of the graph, not what it computes
 */
export function describeOps(
  backend: Backend,
  provider: ProviderName,
  prepare: (row: OpCase) => OpCase = (row) => row,
): void {
  describe.each(['forward', 'gradient'] as const)(
    `${provider} computes each op like the reference, %s`,
    (direction) => {
      const { cases, tolerance } = directions[direction];
      for (const row of cases) {
        const reason = ofOtherProcessor(provider, row) ?? skipReason(provider, row, direction);
        test.skipIf(reason !== undefined)(reason === undefined ? row.name : `${row.name} (${reason})`, async () => {
          const graph = opGraph(prepare(row), direction);
          await expectReference(backend, graph, feedsFor(row, graph), tolerance);
        });
      }
    },
  );
}

const ofOtherProcessor = (provider: ProviderName, row: OpCase): string | undefined =>
  provider === 'native' && isOfVectors(row) && process.arch !== 'x64' ? 'on x64 alone' : undefined;

async function expectReference(backend: Backend, graph: Graph, feeds: Arrays, tolerance: Tolerance): Promise<void> {
  const session = await backend.createSession(graph);
  try {
    const [actual, expected] = [await session.run(tensorsFor(graph, feeds)), evaluate(graph, feeds)];
    for (const { name } of graph.outputs) {
      const reference = expected[name];
      if (!reference) throw new Error(`${name}: no reference`);
      expectClose(name, arrayOf(actual, name), reference, tolerance);
    }
  } finally {
    await session.release();
  }
}

/** Small versions of the named networks: every op of their training steps, at a hundredth of the work. */
export const smallNetworks: readonly Network[] = [
  {
    name: 'mlp',
    inputShape: [1, 28, 28],
    inputNormalization: 'channel',
    layers: [flatten(), dense(16), batchNorm(), relu(), dense(10)],
  },
  {
    name: 'cnn',
    inputShape: [1, 28, 28],
    inputNormalization: 'channel',
    layers: [
      conv2d(4, { kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool(2),
      conv2d(4, { kernel: 3, padding: 1 }),
      batchNorm(),
      relu(),
      maxPool(3, { stride: 2 }),
      flatten(),
      dense(16),
      batchNorm(),
      relu(),
      dense(10),
    ],
  },
];

/**
 * Expects the same data, order and initial weights to give the same losses. The optimizer is momentum, since Adam is
 * chaotic: it scales gradients that are only rounding errors up to full steps, and one backend with weights that differ
 * by 1e-7 ends up 7e-3 apart.
 */
export function describeTraining(backend: Backend, reference: Backend): void {
  test.each(smallNetworks)(
    `${backend.name} trains the small $name to the losses of ${reference.name}`,
    async (network) => {
      const images = await mnistImages(1000);
      const options = { steps: 40, batchSize: 16, optimizer: 'momentum', learningRate: 0.005 } as const;
      const expected = await lossCurve(reference, network, images, options);
      const actual = await lossCurve(backend, network, images, options);
      actual.forEach((loss, step) => {
        expect(Math.abs(loss - (expected[step] ?? NaN)), `loss ${loss} at step ${step}`).toBeLessThan(1e-4);
      });
      expect(mean(expected.slice(-8))).toBeLessThan(0.9 * mean(expected.slice(0, 8)));
    },
  );
}

const clouds = planNetwork({
  name: 'clouds',
  inputShape: [6],
  inputNormalization: 'feature',
  layers: [dense(16), batchNorm(), relu(), dropout(0.2), dense(2)],
});

/**
 * Trains whole epochs: many steps in a call, dropout's random numbers, evaluations in between, and the final
 * statistics.
 */
export function describeEpochs(backend: Backend, reference: Backend): void {
  const data = { train: twoClouds(500, 6, 1), validation: twoClouds(200, 6, 2) };
  const config: TrainingConfig = {
    epochs: 2,
    batchSize: 50,
    optimizer: 'momentum',
    learningRate: 0.02,
    schedule: 'cosine',
    bnMomentum: 0.9,
    statistics: 'population',
    seed: 7,
  };

  test(`${backend.name} trains epochs and evaluates as ${reference.name} does`, async () => {
    const [actual, expected] = [
      await train(clouds, data, config, backend),
      await train(clouds, data, config, reference),
    ];
    actual.history.forEach(({ validation, train }, epoch) => {
      expect(train.loss).toBeCloseTo(expected.history[epoch]?.train.loss ?? NaN, 4);
      expect(validation.loss).toBeCloseTo(expected.history[epoch]?.validation.loss ?? NaN, 4);
    });
    for (const [name, { data }] of actual.tensors) {
      const same = expected.tensors.get(name)?.data ?? [];
      data.forEach((value, i) => {
        expect(value, `${name} at ${i}`).toBeCloseTo(same[i] ?? NaN, 3);
      });
    }
  });

  test(`${backend.name} gives the same bits again`, async () => {
    const [once, again] = [await train(clouds, data, config, backend), await train(clouds, data, config, backend)];
    expect([...again.tensors]).toEqual([...once.tensors]);
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
