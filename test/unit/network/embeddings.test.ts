/** The gradients of embeddings agree with central differences in float64. */
import { expect, test } from 'vitest';
import { gradients } from '../../../training/autodiff/index.ts';
import { checkGraph, graphBuilder } from '../../../training/graph/index.ts';
import {
  batchNorm,
  dense,
  emitForward,
  encodeCategories,
  encodeNumbers,
  heads,
  isTrained,
  members,
  planNetwork,
  relu,
  tensorsOf,
} from '../../../training/network/index.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { emitMeanLoss, multiclass } from '../../../training/objective/index.ts';
import { expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { centralDifferences } from '../../reference/op-graphs.ts';
import { seeded } from '../../reference/random.ts';

/** The columns: two with an embedding, one with places, one of numbers. A category and a number are missing. */
const rows = [
  [0, 1, 1, 0.3],
  [2, 0, 0, -1],
  [1, 3, NaN, 0.7],
  [2, 3, 1, NaN],
  [0, 2, 0, 1.5],
  [NaN, 1, 1, 0.1],
];
const plan = planNetwork({
  name: 'net',
  inputShape: [4],
  inputNormalization: 'robust',
  categories: [3, 4, 2, 0],
  fills: [null, null, null, 0.5],
  indicators: [3],
  edges: [[], [], [], [-1, 0, 1, 2]],
  layers: [
    encodeNumbers({ bins: 4 }),
    encodeCategories({ dimension: 2 }),
    ...[members(2), dense(4), batchNorm(), relu(), heads(2)],
  ],
});

test('the gradients of embeddings, and of all behind them, are central differences', () => {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [rows.length, 4] });
  const targets = g.input('targets', { dtype: 'int32', shape: [rows.length] });
  const specs = tensorsOf(plan);
  const stored = specs.map((spec) => [spec, g.input(spec.name, { dtype: 'float32', shape: spec.shape })] as const);
  const tensors = new Map(stored.map(([{ name }, value]) => [name, value]));
  const forward = emitForward(g, plan, x, { mode: 'train', tensors });
  const loss = emitMeanLoss(g, multiclass(), forward.members ?? forward.output, targets);
  const trained = stored.filter(([spec]) => isTrained(spec));
  const slopes = gradients(g, loss, trained.map(([, value]) => value)); // oxfmt-ignore
  const outputs = trained.map(([{ name }], i) => [`d_${name}`, slopes[i] ?? loss] as const);
  const graph = checkGraph(g.build('loss', { loss, ...Object.fromEntries(outputs) }));
  const random = seeded(5);
  const feeds = {
    x: { shape: [rows.length, 4], data: Float64Array.from(rows.flat()) },
    targets: { shape: [rows.length], data: Float64Array.from([0, 1, 1, 0, 1, 0]) },
    ...Object.fromEntries(
      specs.map(({ name, shape, role }) => {
        const draw = () => (role.kind === 'deviation' || role.kind === 'variance' ? 0.5 + random() : 2 * random() - 1);
        return [name, { shape, data: Float64Array.from({ length: elementCount(shape) }, draw) }];
      }),
    ),
  };
  const got = evaluate(graph, feeds);
  expect(trained.map(([{ name }]) => name)).toContain('encode_categories1.0.weight');
  for (const [{ name }] of trained) {
    const slope = got[`d_${name}`] ?? feeds.x;
    expectClose(name, slope, centralDifferences(graph, feeds, name), { rtol: 1e-6, atol: 1e-10 });
    expect(slope.data.some((value) => Math.abs(value) > 1e-4)).toBe(true);
  }
});
