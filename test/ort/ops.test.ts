/** Every op in ONNX Runtime agrees with the float64 reference, forward and backward. */
import { describe, expect, test } from 'vitest';
import { isOfVectors } from '../backends/providers.ts';
import { opCases } from '../reference/cases/index.ts';
import { expectClose } from '../reference/close.ts';
import { evaluate } from '../reference/evaluate.ts';
import {
  centralDifferences,
  feedsFor,
  forwardGraph,
  gradientGraph,
  lossGraph,
  targetsOf,
} from '../reference/op-graphs.ts';
import { runGraph } from './run-graph.ts';

/** The tolerances for float32 in ONNX Runtime against float64. Central differences are off by 10⁻¹⁰. */
const forwardTolerance = { rtol: 5e-6, ofLargest: 5e-7 };
const gradientTolerance = { rtol: 2e-5, atol: 1e-9, ofLargest: 5e-7 };

describe('ONNX Runtime computes each op as the specification says', () => {
  const here = opCases.filter((row) => process.arch === 'x64' || !isOfVectors(row));
  test.each(here)('$name', async (row) => {
    const graph = forwardGraph(row);
    const feeds = feedsFor(row, graph);
    const [actual, expected] = [await runGraph(graph, feeds), evaluate(graph, feeds)];
    for (const { name, dtype, shape } of graph.outputs) {
      const result = actual[name];
      if (!result) throw new Error(`${name}: no result`);
      expect(result.dtype).toBe(dtype);
      expect(shape.map((dim, i) => (typeof dim === 'number' ? dim : result.shape[i]))).toEqual(result.shape);
      expectClose(name, result, expected[name] ?? result, forwardTolerance);
    }
  });
});

describe('ONNX Runtime computes each gradient as central differences do', () => {
  test.each(opCases.filter((row) => row.forwardOnly === undefined))('$name', async (row) => {
    const graph = gradientGraph(row);
    const feeds = feedsFor(row, graph);
    const actual = await runGraph(graph, feeds);
    for (const target of targetsOf(row)) {
      const result = actual[`d_${target}`];
      if (!result) throw new Error(`d_${target}: no result`);
      expectClose(`d_${target}`, result, centralDifferences(lossGraph(row), feeds, target), gradientTolerance);
    }
  });
});
