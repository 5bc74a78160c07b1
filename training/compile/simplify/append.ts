/** How one of the file's nodes becomes several. */
import type { Attributes, Inputs, Value } from '../../graph/index.ts';

/** @returns the output of a new node, whose name both have */
export type Append = <O extends 'Add' | 'Sub' | 'Mul' | 'MatMul' | 'Transpose'>(
  op: O,
  inputs: Inputs<O>,
  attributes: Attributes<O>,
  name: string,
) => Value;
