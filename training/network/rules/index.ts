/** The rules of all kinds of layers. Each family's file exports the rules of its kinds under their names. */
import type { LayerRules } from '../rule.ts';
import * as activation from './activation.ts';
import { batchNorm } from './batch-norm.ts';
import { layerNorm } from './layer-norm.ts';
import * as linear from './linear.ts';
import { heads, members } from './members.ts';
import { residual } from './residual.ts';
import * as shape from './shape.ts';

export const layerRules: LayerRules = {
  ...linear,
  batchNorm,
  layerNorm,
  ...activation,
  ...shape,
  members,
  heads,
  residual,
};
