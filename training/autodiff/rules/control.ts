import type { OpType } from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';

export const control = {
  Loop: notDifferentiable('a Loop is differentiated inside its body'),
} satisfies Partial<RuleTable<OpType>>;
