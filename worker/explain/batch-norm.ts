/**
 * Describes Batch Norm as a deployed model holds it: the parameters, the running statistics, and the affine map they
 * fold into.
 */
import { at } from '../../training/arrays/index.ts';
import type { BatchNormLayer } from '../image.ts';
import type { Model } from '../models.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { BatchNormResponse } from '../protocol/responses.ts';

/** Holds the affine map z̃ = scale · z + shift, `[C]` each. */
export interface AffineMap {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** Folds the layer into an affine map: scale = γ / √(σ² + ε), shift = β − μ · scale */
export function foldedInto(
  { gamma, beta, epsilon }: BatchNormLayer,
  mean: readonly number[],
  variance: readonly number[],
): AffineMap {
  const scale = gamma.map((value, c) => value / Math.sqrt(at(variance, c) + epsilon));
  return { scale, shift: beta.map((value, c) => value - at(mean, c) * at(scale, c)) };
}

export function describeBatchNorm({ name, version, batchNorm, remarks }: Model): BatchNormResponse {
  return {
    model_name: name,
    model_version: version,
    ...(remarks && { remarks }),
    layers: batchNorm.map((layer) => ({
      name: layer.name,
      channels: layer.gamma.length,
      epsilon: layer.epsilon,
      momentum: layer.momentum,
      gamma: layer.gamma,
      beta: layer.beta,
      running_mean: layer.runningMean,
      running_var: layer.runningVar,
      ...rounded(foldedInto(layer, layer.runningMean, layer.runningVar)),
    })),
  };
}

const rounded = ({ scale, shift }: AffineMap): AffineMap => ({
  scale: scale.map(toFloatDigits),
  shift: shift.map(toFloatDigits),
});
