/** Replaces one of the file's nodes by several. */
import type { Attributes, Inputs, Value } from '../../graph/index.ts';

/** @returns the output of a new node; both have the given name */
export type Append = <O extends 'Add' | 'Sub' | 'Mul' | 'MatMul' | 'Transpose'>(
  op: O,
  inputs: Inputs<O>,
  attributes: Attributes<O>,
  name: string,
) => Value;
