/**
 * Keeps Batch Norm's running statistics from being overwritten:
 *
 *     BatchNormalization(X, scale, B, mean, var)   becomes   BatchNormalization(X, scale, B, copy of mean, copy of var)
 *
 * In training mode onnxruntime's CPU kernel (1.30) lets `running_mean` and `running_var` share the memory of
 * `input_mean` and `input_var`, even if other nodes read these. The old running statistics are then lost before they
 * are averaged, and where they are inputs of the graph, the caller's arrays change. So the node gets copies of its own
 * to overwrite.
 *
 * Source: `.Alias(3, 1).Alias(4, 2)` in
 * https://github.com/microsoft/onnxruntime/blob/v1.22.0/onnxruntime/core/providers/cpu/nn/batch_norm.cc
 */
import type { Value } from '../../graph/index.ts';
import { replacing } from '../rewrite.ts';

export const shieldStatistics = replacing({
  BatchNormalization: (g, { inputs: [X, scale, B, input_mean, input_var], attributes }) => {
    if (attributes.training_mode === 0) return undefined;
    // Half of twice the value is the value, exactly. The runtime would optimize an Identity away.
    const copy = (value: Value) => g.Mul(g.Add(value, value), g.scalar(0.5));
    return g.BatchNormalization(X, scale, B, copy(input_mean), copy(input_var), attributes);
  },
});
