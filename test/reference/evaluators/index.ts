/** Joins the evaluators of all ops. */
import type { OpType } from '../../../training/graph/index.ts';
import { classification } from './classification.ts';
import { control } from './control.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import type { EvaluatorTable } from './evaluator.ts';
import { linalg } from './linalg.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import { reduction } from './reduction.ts';

/** The evaluators of all ops. A table that lacks an op does not compile. */
export const evaluators: EvaluatorTable<OpType> = {
  ...elementwise,
  ...reduction,
  ...linalg,
  ...convolution,
  ...movement,
  ...normalization,
  ...classification,
  ...control,
};
