import { describe, expect, test } from 'vitest';
import { checkGraph, graphBuilder, GraphError } from '../../../training/graph/index.ts';
import {
  dense,
  emitForward,
  encodeCategories,
  encodeNumbers,
  type Network,
  outputShapeOf,
  parseNetwork,
  planNetwork,
  tensorsOf,
} from '../../../training/network/index.ts';
import { evaluate } from '../../reference/evaluate.ts';

const rows = (network: Partial<Network>): Network => ({
  name: 'rows',
  inputShape: [3],
  inputNormalization: 'feature',
  layers: [],
  ...network,
});

/** Returns the output of the network without layers for raw samples. */
function answers(network: Network, x: readonly number[], tensors: Readonly<Record<string, readonly number[]>>) {
  const plan = planNetwork(network);
  const g = graphBuilder();
  const count = x.length / (network.inputShape[0] ?? 1);
  const input = g.input('x', { dtype: 'float32', shape: [count, ...network.inputShape] });
  const stored = tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
  const { output } = emitForward(g, plan, input, { mode: 'inference', tensors: new Map(stored) });
  const feeds = tensorsOf(plan).map(({ name, shape }) => {
    return [name, { shape, data: Float64Array.from(tensors[name] ?? []) }] as const;
  });
  const graph = checkGraph(g.build('answers', { y: output }));
  const x0 = { shape: [count, ...network.inputShape], data: Float64Array.from(x) };
  return [...(evaluate(graph, { x: x0, ...Object.fromEntries(feeds) }).y?.data ?? [])];
}

const round = (values: readonly number[]) => values.map((value) => Number(value.toFixed(4)));

describe('rows of a table', () => {
  test('become numbers by their mean and deviation, then a place for each category', () => {
    const network = rows({ categories: [2, 0, 3] });
    const statistics = { 'input.mean': [10], 'input.std': [2] };
    const got = answers(network, [1, 14, 0, 0, 8, 2], statistics);
    expect(round(got)).toEqual([2, 0, 1, 1, 0, 0, -1, 1, 0, 0, 0, 1]);
    expect(outputShapeOf(planNetwork(network))).toEqual([6]);
  });

  test('have no place for a category that training has not seen', () => {
    const network = rows({ categories: [3, 0, 2], unseen: [[1], [], []], inputNormalization: 'none' });
    expect(answers(network, [0, 7, 1, 1, 7, 0, 2, 7, 0], {})).toEqual(
      [
        [7, 1, 0, 0, 1],
        [7, 0, 0, 1, 0],
        [7, 0, 1, 1, 0],
      ].flat(),
    );
    expect(outputShapeOf(planNetwork(network))).toEqual([5]);
    expect(parseNetwork(JSON.parse(JSON.stringify(network)))).toEqual(network);
  });

  test('have no place for an index that is no category', () => {
    expect(answers(rows({ inputShape: [1], categories: [2] }), [2, 0.5, NaN, -1, 1], {})).toEqual(
      [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 1],
      ].flat(),
    );
  });

  test('are drawn in by their median and range, cut into bins, and told of', () => {
    const network = rows({
      inputNormalization: 'robust',
      categories: [2, 0, 0],
      fills: [null, 4, null],
      edges: [[], [0, 2, 4, 8], [5]],
      indicators: [1],
    });
    const statistics = { 'input.median': [4, 0], 'input.iqr': [2, 1] };
    const s = (z: number) => z / Math.sqrt(1 + (z / 3) ** 2);
    const expected = [
      [s(0.5), s(1), 1, 1, 0.25, 0, 1, 0],
      [s(-1.5), s(-3), 0.5, 0, 0, 1, 0, 0],
      [s(0), s(0), 1, 1, 0, 1, 0, 1],
      // These are far outside the bins, on either side.
      [3, -3, 1, 1, 1, 1, 0, 0],
    ];
    const far = 1e30;
    expect(round(answers(network, [1, 5, 1, 0, 1, -3, 0, NaN, 0, 0, far, -far], statistics))).toEqual(
      round(expected.flat()),
    );
    expect(outputShapeOf(planNetwork(network))).toEqual([8]);
    expect(parseNetwork(JSON.parse(JSON.stringify(network)))).toEqual(network);
  });

  test('are the same by a layer that says so as by their description', () => {
    const described = { categories: [2, 0, 0], edges: [[], [0, 2, 4, 8], []], inputNormalization: 'robust' } as const;
    const statistics = { 'input.median': [4, 0], 'input.iqr': [2, 1] };
    const x = [1, 5, 1, 0, 1, -3];
    const usual = answers(rows(described), x, statistics);
    expect(answers(rows({ ...described, layers: [encodeNumbers()] }), x, statistics)).toEqual(usual);
    const both = [encodeCategories(), encodeNumbers()];
    expect(answers(rows({ ...described, layers: both }), x, statistics)).toEqual(usual);
  });

  test('have the row of a matrix for a category, zeros for none, where there are more than it has numbers', () => {
    const network = rows({
      inputNormalization: 'none',
      categories: [3, 0, 2],
      unseen: [[], [], []],
      layers: [encodeCategories({ dimension: 2 })],
    });
    const weights = { 'encode_categories1.0.weight': [1, 2, 3, 4, 5, 6] };
    expect(answers(network, [2, 7, 1, 0, 8, 0, NaN, 9, 3], weights)).toEqual(
      [
        [7, 0, 1, 5, 6],
        [8, 1, 0, 1, 2],
        [9, 0, 0, 0, 0],
      ].flat(),
    );
  });

  test('without categories have their bins behind them', () => {
    const network = rows({ inputShape: [2], inputNormalization: 'none', edges: [[1, 2], []] });
    expect(answers(network, [1.5, 7], {})).toEqual([1.5, 7, 0.5]);
  });

  test.each<[string, Partial<Network>, string]>([
    ['edges for each column', { edges: [[0, 1]] }, 'rows: expected 1 columns, got [3]'],
    [
      'edges of numbers',
      { categories: [0, 2, 0], edges: [[], [0, 1], []] },
      'rows: expected edges of columns of numbers, got some of a column of categories',
    ],
    [
      'edges that were found',
      { bins: 8 },
      'rows: expected edges beside bins, as training finds them in rows of numbers, got none',
    ],
  ])('need %s', (_about, network, message) => {
    expect(() => planNetwork(rows(network))).toThrow(new GraphError(message));
  });

  test('need edges that rise', () => {
    expect(parseNetwork(rows({ edges: [[], [1, 1], []] }))).toContain('expected edges that rise');
  });

  test('need one number of categories for each column', () => {
    expect(() => planNetwork(rows({ categories: [2] }))).toThrow(new GraphError('rows: expected 1 columns, got [3]'));
  });
});

describe('a network', () => {
  test('without input normalization takes what it is given', () => {
    const network = rows({ inputNormalization: 'none' });
    expect(tensorsOf(planNetwork(network))).toEqual([]);
    expect(answers(network, [1, 2, 3], {})).toEqual([1, 2, 3]);
  });

  test('of standardized targets answers in their unit', () => {
    const network = rows({ inputShape: [1], inputNormalization: 'none', standardizedTargets: true });
    expect(answers(network, [0, 2, -1], { 'target.mean': [100], 'target.std': [5] })).toEqual([100, 110, 95]);
  });

  test('keeps its units in its description', () => {
    const network = rows({ categories: [2, 0, 3], standardizedTargets: true, layers: [dense(1)] });
    expect(parseNetwork(JSON.parse(JSON.stringify(network)))).toEqual(network);
  });
});
