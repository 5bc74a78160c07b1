/**
 * Tensors as consecutive rows that are computed independently: the rows of a matrix, and the channels of images whose
 * samples lie along the last axis. A long vector is one row.
 *
 *     [C, ..]          │ row 0 ············· │ row 1 ············· │ …
 */
import { at, elementCount } from '../../arrays/index.ts';
import { constantInts, knownSizes, type Node, normalizeAxis, type OpNode, type Value } from '../../graph/index.ts';
import { numbersOf } from '../constant.ts';
import { CompileError } from '../error.ts';
import { type Expression, type LaneType, numberOf, operandOf } from '../expression/expression.ts';
import { type ElementwiseNode, expressionOf, isElementwise, laneTypeOf } from '../expression/of-node.ts';
import { sizeOf } from '../lower/lowering.ts';

export interface RowForm {
  readonly rows: number;
  /** The number of elements in a row. */
  readonly length: number;
}

/** Returns a key that tensors share whose rows may be computed together. */
export const rowKeyOf = (rows: number): string => `${rows} rows`;

/** A vector with this many elements is a row; shorter ones hold a number for each channel. */
const long = 2 ** 14;

/** @returns undefined for tensors of other ranks, and those with only one element for each row */
export function rowFormOf(value: Value): RowForm | undefined {
  const shape = knownSizes(value.shape);
  const rank = shape.length;
  if (rank === 1) return at(shape, 0) >= long ? { rows: 1, length: at(shape, 0) } : undefined;
  if (rank < 2 || rank > 4 || (rank === 4 && shape[0] !== 1)) return undefined;
  const axis = rank === 4 ? 1 : 0;
  const length = elementCount(shape.slice(axis + 1));
  return length > 1 ? { rows: at(shape, axis), length } : undefined;
}

/**
 * The way in which a value is read where rows of a tensor are computed: as a row, as one number for each row, or as one
 * number for all.
 */
export type Reading = 'row' | 'number' | 'one';

/** @returns undefined where it is read in another way */
export function readingOf(value: Value, within: Value): Reading | undefined {
  if (sizeOf(value) === 1) return 'one';
  const [shape, whole] = [knownSizes(value.shape), knownSizes(within.shape)];
  const padded = [...whole.slice(shape.length).map(() => 1), ...shape];
  if (padded.join() === whole.join()) return 'row';
  // In images the samples are the first axis, which is 1 here.
  const axis = whole.length === 4 ? 1 : 0;
  return padded.every((size, i) => size === (i === axis ? whole[i] : 1)) ? 'number' : undefined;
}

/** A node as a step of rows: the tensor that it walks, or the fact that it computes one number for each row. */
export type RowNode =
  | { readonly kind: 'map' | 'fold' | 'gather' | 'place'; readonly form: RowForm }
  | { readonly kind: 'numbers'; readonly rows: number };

/** @returns undefined for a node that cannot be computed row by row */
export function rowNodeOf(node: Node): RowNode | undefined {
  const [output] = node.outputs;
  if (isElementwise(node)) return isCovered(node) ? elementwiseOf(node.inputs, output) : undefined;
  if (output.dtype !== 'float32') return undefined;
  if (node.op === 'ReduceSum' || node.op === 'ReduceMean') return foldOf(node);
  return node.op === 'Gather' ? gatherOf(node) : undefined;
}

function gatherOf({ inputs: [data, indices], outputs: [output], attributes: { axis } }: OpNode<'Gather'>) {
  const form = rowFormOf(output);
  const isOfPixels = axis === 1 && data.shape.length === 3 && indices.constant && Number(data.shape[2]) % 4 === 0;
  return form && isOfPixels ? ({ kind: 'gather', form } as const) : undefined;
}

/**
 * Is true where all types can be handled. Values in memory have four bytes for each element; booleans are never in
 * memory.
 */
function isCovered(node: Extract<Node, { op: ElementwiseNode['op'] }>): boolean {
  const all: readonly Value[] = [...node.inputs, ...node.outputs];
  if (!all.every(({ dtype }) => dtype === 'float32' || dtype === 'uint32' || dtype === 'bool')) return false;
  try {
    expressionOf(
      node,
      node.inputs.map((value: Value, i: number) => leafOf(value, laneTypeOf(node, value), i)),
    );
    return true;
  } catch (error) {
    if (error instanceof CompileError) return false;
    throw error;
  }
}

/** Returns the leaf for a value: a number where a single one is stored, otherwise an operand. */
export function leafOf({ constant }: Value, type: LaneType, operand: number): Expression {
  if (constant?.data.length !== 1) return operandOf(operand, type);
  const number = at(numbersOf(constant), 0);
  return numberOf(type === 'mask' ? -number : number, type);
}

function elementwiseOf(inputs: readonly Value[], output: Value): RowNode | undefined {
  const form = rowFormOf(output);
  const readings = inputs.map((value) => readingOf(value, output));
  const count = sizeOf(output);
  if (count === 1) return undefined;
  const isNumbers = output.shape.filter((size) => size !== 1).length === 1 && (!form || output.shape.length > 1);
  if (isNumbers)
    return output.dtype === 'float32' && inputs.every((value) => [1, count].includes(sizeOf(value)))
      ? { kind: 'numbers', rows: count }
      : undefined;
  return form && readings.every((reading) => reading !== undefined) ? { kind: 'map', form } : undefined;
}

function foldOf(node: Extract<Node, { op: 'ReduceSum' | 'ReduceMean' }>): RowNode | undefined {
  const [data, axes] = node.inputs;
  const form = rowFormOf(data);
  if (!form || data.dtype !== 'float32' || !axes.constant) return undefined;
  const rank = data.shape.length;
  const folded = new Set(constantInts('axes', axes).map((axis) => normalizeAxis(axis, rank)));
  const row = rank === 4 ? 1 : 0;
  const isWhole = data.shape.every((size, axis) => (axis === row ? !folded.has(axis) : folded.has(axis) || size === 1));
  return isWhole ? { kind: 'fold', form } : undefined;
}
