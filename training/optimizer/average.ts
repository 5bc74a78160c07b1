import type { GraphBuilder, Value } from '../graph/index.ts';

/** Emits average ← kept · average + fresh · value, with shares that add up to 1. */
export function emitAverage(g: GraphBuilder, average: Value, value: Value, kept: Value, fresh: Value): Value {
  return g.Add(g.Mul(average, kept), g.Mul(value, fresh));
}
