/** The gradient rules of all ops. A table that lacks an op does not compile. */
import type { OpType } from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';
import { classification } from './classification.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { linalg } from './linalg.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import { reduction } from './reduction.ts';

export const vjpRules: RuleTable<OpType> = {
  ...elementwise,
  ...reduction,
  ...linalg,
  ...convolution,
  ...movement,
  ...normalization,
  ...classification,
  Loop: notDifferentiable('a Loop is differentiated inside its body'),
};
