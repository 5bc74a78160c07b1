/** Lowering for a target changes no results: each lowered op and gradient agrees in the float64 interpreter. */
import { describe, expect, it, test } from 'vitest';
import { type Graph, graphBuilder, printGraph } from '../../../training/graph/index.ts';
import { loopStep, lower, type Processor, type Target } from '../../../training/lowering/index.ts';
import { opCases } from '../../reference/cases/index.ts';
import { expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { channelBlock } from '../../reference/evaluators/convolution.ts';
import { feedsFor, forwardGraph, gradientGraph } from '../../reference/op-graphs.ts';

/** The tolerance for constants that a pass stores as float32: 0.9 is off by 2.5e-8. */
const tolerance = { rtol: 1e-7 };
const processors: { readonly [T in Target]: Processor } = {
  native: { channelBlock },
  webgpu: {},
  wasm: {},
  compiled: {},
  rows: { channelBlock },
};

describe.each(Object.keys(processors) as Target[])('lowered for %s', (target) => {
  test.each(opCases)('$name', (row) => {
    expectUnchanged(target, row, forwardGraph(row));
  });

  test.each(opCases.filter(({ forwardOnly }) => forwardOnly === undefined))('the gradient of $name', (row) => {
    expectUnchanged(target, row, gradientGraph(row));
  });
});

function expectUnchanged(target: Target, row: (typeof opCases)[number], graph: Graph): void {
  const feeds = feedsFor(row, graph);
  const [before, after] = [evaluate(graph, feeds), evaluate(lower(graph, target, processors[target]), feeds)];
  for (const [name, expected] of Object.entries(before)) {
    expectClose(name, after[name], expected, tolerance);
  }
}

describe('for webgpu', () => {
  it('the gradient of max pooling gives equal elements to the first, as PyTorch does', () => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: [1, 1, 3, 3] });
    const [y, Indices] = g.MaxPool(x, { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 0, 0] });
    const flat = g.ints([-1]);
    const updates = g.Reshape(g.input('dY', y), flat);
    const zeros = g.Expand(g.scalar(0), g.ints([9]));
    const scattered = g.ScatterElements(zeros, g.Reshape(Indices, flat), updates, { axis: 0, reduction: 'add' });
    const graph = lower(g.build('ties', { dX: g.Reshape(scattered, g.ints([1, 1, 3, 3])) }), 'webgpu');
    expect(printGraph(graph)).not.toContain('ScatterElements');
    const { dX } = evaluate(graph, {
      x: { shape: [1, 1, 3, 3], data: Float64Array.of(1, 1, 0, 1, 1, 0, 2, 2, 2) },
      dY: { shape: [1, 1, 2, 2], data: Float64Array.of(1, 2, 3, 4) },
    });
    expect(Array.from(dX?.data ?? [])).toEqual([1, 2, 0, 0, 0, 0, 3, 4, 0]);
  });
});

describe('the step of a Loop', () => {
  /** Builds M iterations of total ← total + weight; each iteration outputs the total. */
  function sums({ stops = false } = {}): Graph {
    const g = graphBuilder();
    const M = g.input('M', { dtype: 'int64', shape: [] });
    const weight = g.input('weight', { dtype: 'float32', shape: [2] });
    const start = g.input('start', { dtype: 'float32', shape: [2] });
    const always = g.initializer('always', { dtype: 'bool', shape: [], data: Uint8Array.of(1) });
    const body = g.body();
    const iteration = body.input('iteration', { dtype: 'int64', shape: [] });
    const condition = body.input('condition', { dtype: 'bool', shape: [] });
    const total = body.Add(body.input('before', { dtype: 'float32', shape: [2] }), weight);
    const goesOn = stops ? body.Equal(iteration, body.scalar(0, 'int64')) : condition;
    const [end, all] = g.Loop(M, always, start, { body: body.build('sum', { goesOn, after: total, each: total }) });
    return g.build('sums', { end: end ?? start, all: all ?? start });
  }

  it('reads the state and what the Loop reads from around it, and names where each goes', () => {
    const step = loopStep(sums());
    expect(step && printGraph(step.graph)).toMatchInlineSnapshot(`
      "sum(before: float32[2], weight: float32[2]) {
        after: float32[2] = Add(before, weight)
        each: float32[2] = Identity(after)
        return after, each
      }"
    `);
    expect(step).toMatchObject({
      tripCount: 'M',
      iteration: 'iteration',
      carried: [{ initial: 'start', before: 'before', after: 'after', final: 'end' }],
      scanned: [{ each: 'each', stacked: 'all' }],
    });
  });

  it('is none when an iteration may end the Loop', () => {
    expect(loopStep(sums({ stops: true }))).toBeUndefined();
  });
});
