import type { GraphBuilder, Value } from '../graph/index.ts';

/**
 * The exponentially weighted average that inference will normalize with, of μ or of σ²:
 *
 *     running ← momentum · running + (1 − momentum) · batch
 *
 * `momentum` is ONNX's: the share of the old value kept (0.9). PyTorch's is the share of the new one (0.1).
 * `batch` divides by m, as ONNX and the paper's training step do; PyTorch averages the variance divided by m − 1.
 */
export function emitRunningAverage(g: GraphBuilder, running: Value, batch: Value, momentum: number): Value {
  return g.Add(g.Mul(running, g.scalar(momentum)), g.Mul(batch, g.scalar(1 - momentum)));
}
