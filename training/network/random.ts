/**
 * Random numbers inside the graph, by a counter-based generator: the numbers of a training step depend only on seed,
 * layer, step and element. So a resumed run draws the same numbers as an uninterrupted one. The generator needs only
 * multiplication, addition and division of uint32, which every backend has.
 *
 * A layer has 2³² numbers. When they are used up, later steps get the earlier ones again, on other elements.
 *
 * The rounds are those of Widynski, Squares: A Fast Counter-Based RNG, https://arxiv.org/abs/2004.06278, on 32 bits.
 */
import { elementCount } from '../arrays/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';

export interface RandomKey {
  readonly seed: number;
  /** The training step, an int64 scalar. */
  readonly step: Value;
}

/** Emits numbers in [0, 1) of the given shape, different for each `stream`. */
export function uniform(g: GraphBuilder, { seed, step }: RandomKey, stream: number, shape: readonly number[]): Value {
  const size = elementCount(shape);
  const element = g.initializer('elements', {
    dtype: 'uint32',
    shape: [size],
    data: Uint32Array.from({ length: size }, (_, i) => i),
  });
  const counter = g.Add(g.Mul(g.Cast(step, { to: 'uint32' }), g.scalar(size, 'uint32')), element);
  const bits = squares(g, counter, g.scalar(mix(seed, stream), 'uint32'));
  // The upper 24 bits fill a float32's significand exactly.
  const upper = g.Cast(g.Div(bits, g.scalar(2 ** 8, 'uint32')), { to: 'float32' });
  return g.Reshape(g.Mul(upper, g.scalar(2 ** -24)), g.ints(shape));
}

/** Emits four rounds of x ← rotate(x² + k), with k alternating between y and y + key. */
function squares(g: GraphBuilder, counter: Value, key: Value): Value {
  const y = g.Mul(g.Add(counter, g.scalar(1, 'uint32')), key);
  const z = g.Add(y, key);
  return [y, z, y, z].reduce((x, k) => rotate(g, g.Add(g.Mul(x, x), k)), y);
}

/** Swaps the two halves of each 32-bit word. */
function rotate(g: GraphBuilder, x: Value): Value {
  const half = g.scalar(2 ** 16, 'uint32');
  return g.Add(g.Mul(x, half), g.Div(x, half));
}

/** Returns an odd key with well-mixed bits for each seed and stream, by MurmurHash3's finalizer. */
function mix(seed: number, stream: number): number {
  let hash = (Math.imul(seed, 0x9e3779b1) + Math.imul(stream + 1, 0x85ebca6b)) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) | 1) >>> 0;
}
