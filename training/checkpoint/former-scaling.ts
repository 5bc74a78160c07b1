/**
 * Converts the data statistics of old checkpoints, which stored σ² as `input.var` and `target.var`; the network used
 * √(σ² + 1e-5) and √σ². The deviations are computed in float32, as the graph did, so the network gives the same bits.
 */
import type { Tensor } from './checkpoint.ts';

const formerEpsilons = { input: 1e-5, target: 0 } as const;

export function withDeviations(stored: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const tensors = new Map(stored);
  for (const [what, epsilon] of Object.entries(formerEpsilons)) {
    const variance = stored.get(`${what}.var`);
    if (variance?.dtype !== 'F32' || stored.has(`${what}.std`)) continue;
    const deviation = variance.data.map((sigma2) => Math.sqrt(Math.fround(sigma2 + Math.fround(epsilon))));
    tensors.delete(`${what}.var`);
    tensors.set(`${what}.std`, { ...variance, data: deviation });
  }
  return tensors;
}
