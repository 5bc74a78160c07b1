import { describe, expect, it } from 'vitest';
import { multiplicationsOf, threadsFor } from '../../../training/backend/index.ts';
import { type Graph, graphBuilder } from '../../../training/graph/index.ts';

function gemm(rows: number | string, inner: number, columns: number): Graph {
  const g = graphBuilder();
  const a = g.input('a', { dtype: 'float32', shape: [inner, rows] });
  const b = g.input('b', { dtype: 'float32', shape: [inner, columns] });
  return g.build('gemm', { y: g.Gemm(a, b, undefined, { transA: 1 }) });
}

function convolutions(): Graph {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [2, 4, 5, 5] });
  const w = g.input('w', { dtype: 'float32', shape: [6, 2, 3, 3] });
  const window = { kernel_shape: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1], group: 2 };
  const y = g.Conv(x, w, undefined, window);
  return g.build('convolutions', { back: g.ConvTranspose(y, w, undefined, { ...window, output_padding: [0, 0] }) });
}

describe('the work of a graph', () => {
  it.each([
    ['a product of transposed matrices', gemm(3, 5, 7), 3 * 5 * 7],
    ['a convolution in groups and its transpose', convolutions(), 2 * (2 * 6 * 25 * 2 * 9)],
    ['a size that is known at run time', gemm('N', 5, 7), undefined],
  ])('counts the multiplications of %s', (_, graph, expected) => {
    expect(multiplicationsOf(graph)).toBe(expected);
  });

  it.each([
    ['little work', gemm(64, 784, 256), 16, 1],
    ['the work of eight threads', gemm(400, 1000, 1000), 16, 8],
    ['the work of two threads', gemm(128, 784, 784), 16, 2],
    ['more work than cores', gemm(1000, 1000, 1000), 2, 2],
    ['work known at run time', gemm('N', 1000, 1000), 16, 16],
  ])('gives %s so many threads', (_, graph, cores, expected) => {
    expect(threadsFor(graph, cores)).toBe(expected);
  });
});
