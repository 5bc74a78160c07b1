/**
 * Every op and the published Batch Norm give the right numbers inside workerd: on the stock WebAssembly runtime, and on
 * an edge image.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { graphBuilder } from '../../training/graph/index.ts';
import { describeOps, opGraph } from '../backends/conformance.ts';
import { imageInWorkerd, stockInWorkerd } from '../backends/in-workerd.ts';
import { type Direction, type OpCase, skipReason } from '../backends/providers.ts';
import { describePublishedBatchNorm, publishedGraphs } from '../backends/published-batch-norm.ts';
import { opCases } from '../reference/cases/index.ts';

/** [N, 1] · [1, N]: a few kilobytes of input can ask for any amount of memory. */
const outer = outerProduct();

const image = await imageInWorkerd([...opGraphs('forward'), ...opGraphs('gradient'), ...publishedGraphs, outer]);
const stock = await stockInWorkerd();
afterAll(() => Promise.all([image.stop(), stock.stop()]));

describe('inside workerd', () => {
  describeOps(stock, 'wasm in workerd');
  describePublishedBatchNorm(stock);
  describeOps(image, 'edge image in workerd', pinned);
  describePublishedBatchNorm(image);
});

function opGraphs(direction: Direction) {
  const rows = opCases.filter((row) => skipReason('edge image in workerd', row, direction) === undefined);
  return rows.map((row) => opGraph(pinned(row), direction));
}

/**
 * Replaces integer inputs by constants, as 0 · x + own: an image's build feeds numbers of its choice, most of which are
 * not valid indices, and one of which is too many iterations.
 */
function pinned(row: OpCase): OpCase {
  const emit: OpCase['emit'] = (g, values) =>
    row.emit(
      g,
      values.map((x, i) => {
        if (x.dtype !== 'int64' && x.dtype !== 'int32') return x;
        const own = g.Cast(g.ints(row.inputs[i]?.sample(() => NaN) ?? []), { to: x.dtype });
        return g.Add(g.Mul(x, g.scalar(0, x.dtype)), g.Reshape(own, g.ints(x.shape.map(Number))));
      }),
    );
  return { ...row, emit };
}

function outerProduct() {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 1] });
  return g.build('outer', {
    y: g.ReduceSum(g.MatMul(x, g.Transpose(x, { perm: [1, 0] })), g.ints([1]), { keepdims: 0 }),
  });
}

describe('an edge image in workerd', () => {
  const ones = (count: number) =>
    ({ x: { dtype: 'float32', shape: [count, 1], data: new Float32Array(count).fill(1) } }) as const;
  const sums = { y: { dtype: 'float32', shape: [3], data: Float32Array.of(3, 3, 3) } };

  test('answers in the same request after a trap, and in the ones behind it', async () => {
    const session = await image.createSession(outer);
    for (let i = 0; i < 5; i++) {
      expect(await image.runDamaged(outer, ones(3))).toEqual(sums);
      expect(await session.run(ones(3))).toEqual(sums);
    }
  });

  test('refuses what does not fit into its memory, and answers the next request', async () => {
    const session = await image.createSession(outer);
    await expect(session.run(ones(8000))).rejects.toThrow(/InferenceError: .*bad_alloc/);
    expect(await session.run(ones(3))).toEqual(sums);
  });
});
