/** Every op and the published Batch Norm inside workerd: on the stock WebAssembly runtime, and on an edge image. */
import { afterAll, describe } from 'vitest';
import { describeOps, opGraph } from '../backends/conformance.ts';
import { imageInWorkerd, stockInWorkerd } from '../backends/in-workerd.ts';
import { type Direction, type OpCase, skipReason } from '../backends/providers.ts';
import { describePublishedBatchNorm, publishedGraphs } from '../backends/published-batch-norm.ts';
import { opCases } from '../reference/cases/index.ts';

const image = await imageInWorkerd([...opGraphs('forward'), ...opGraphs('gradient'), ...publishedGraphs]);
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
 * The case with integers that are its own whatever is fed, 0 · x + own: an image's build feeds numbers of its choice, of which
 * most are no indices, and one is too many iterations.
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
