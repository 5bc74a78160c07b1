/** Random graphs agree with the float64 interpreter. `GRAPHS=2000` runs that many. */
import { expect, it } from 'vitest';
import { printGraph } from '../../../training/graph/index.ts';
import { range } from '../../reference/ndarray.ts';
import { samplesFor } from './network-graph.ts';
import { randomGraph } from './random-graph.ts';
import { expectReference } from './run-compiled.ts';

const graphs = Number(process.env['GRAPHS'] ?? 200);
const together = 20;

// Errors add up over twenty ops.
const within = { rtol: 2.5e-5, ofLargest: 5e-7 };

it.each(range(Math.ceil(graphs / together)))('random graphs, part %d', { timeout: 60_000 }, async (part) => {
  const failures: string[] = [];
  for (const seed of range(together).map((i) => part * together + i)) {
    const graph = randomGraph(seed);
    try {
      await expectReference(graph, samplesFor(graph, 2), { within, fma: seed % 2 === 1 });
    } catch (error) {
      failures.push(`${String(error)}\n${printGraph(graph)}`);
    }
  }
  expect(failures).toEqual([]);
});
