/** The shape rules of all ops. */
import type { OpType } from '../ops.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { linalg } from './linalg.ts';
import { movement } from './movement.ts';
import { classification, control, normalization } from './network.ts';
import { reduction } from './reduction.ts';
import type { SchemaTable } from './schema.ts';

export const opSchemas: SchemaTable<OpType> = {
  ...elementwise,
  ...reduction,
  ...linalg,
  ...convolution,
  ...movement,
  ...normalization,
  ...classification,
  ...control,
};
