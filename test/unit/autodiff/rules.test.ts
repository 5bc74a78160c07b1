/** The mathematics of every gradient rule: the emitted graph, evaluated in float64, against central differences. */
import { describe, test } from 'vitest';
import { opCases } from '../../reference/cases/index.ts';
import { expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { centralDifferences, feedsFor, gradientGraph, lossGraph, targetsOf } from '../../reference/op-graphs.ts';

/** What constants stored as float32 inside the graph (ε, 1/m, α) leave of float64's exactness. */
const tolerance = 1e-6;

describe('the gradient of each op equals central differences', () => {
  test.each(opCases.filter((row) => row.forwardOnly === undefined))('$name', (row) => {
    const graph = gradientGraph(row);
    const feeds = feedsFor(row, graph);
    const actual = evaluate(graph, feeds);
    for (const target of targetsOf(row)) {
      const name = `d_${target}`;
      const expected = centralDifferences(lossGraph(row), feeds, target);
      expectClose(name, actual[name] ?? { shape: [], data: new Float64Array() }, expected, tolerance);
    }
  });
});
