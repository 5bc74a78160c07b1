import { describe, expect, test } from 'vitest';
import { graphBuilder } from '../../../training/graph/index.ts';
import { clipByGlobalNorm } from '../../../training/optimizer/index.ts';
import { evaluate } from '../../reference/evaluate.ts';

/** Two gradients, [3, 0] and 4, whose global norm is 5. */
function clipped(limit: number): readonly number[] {
  const g = graphBuilder();
  const gradients = [g.input('a', { dtype: 'float32', shape: [2] }), g.input('b', { dtype: 'float32', shape: [1, 1] })];
  const [a, b] = clipByGlobalNorm(g, gradients, limit);
  if (!a || !b) throw new Error('expected two gradients');
  const results = evaluate(g.build('clip', { 'clipped/a': a, 'clipped/b': b }), {
    a: { shape: [2], data: Float64Array.of(3, 0) },
    b: { shape: [1, 1], data: Float64Array.of(4) },
  });
  return ['clipped/a', 'clipped/b'].flatMap((name) => [...(results[name]?.data ?? [])]);
}

describe('clipping by global norm', () => {
  test('shortens all gradients by one factor when together they are too long', () => {
    expect(clipped(2.5)).toEqual([1.5, 0, 2]);
  });

  test('leaves gradients alone whose norm is at the limit or below', () => {
    expect(clipped(5)).toEqual([3, 0, 4]);
    expect(clipped(8)).toEqual([3, 0, 4]);
  });
});
