/**
 * The expression of an elementwise step: a tree whose leaves are operands and numbers, evaluated for four elements at
 * once. A chain of ONNX nodes becomes one tree, so that intermediate values are never written to memory.
 */
import { at } from '../../arrays/index.ts';
import { splat, splatInt, vector, type Wat } from '../wat.ts';
import * as functions from './functions.ts';
import type { Lines } from './lines.ts';

/** The type of a lane: a float32, a signed or unsigned integer of 32 bits, or a boolean with all bits set or none. */
export type LaneType = 'float' | 'int' | 'uint' | 'mask';

export type Expression =
  /** The operand with that index. */
  | { readonly kind: 'operand'; readonly operand: number; readonly type: LaneType }
  | { readonly kind: 'number'; readonly value: number; readonly type: LaneType }
  | {
      readonly kind: 'operation';
      readonly operation: Operation;
      readonly inputs: readonly Expression[];
      readonly type: LaneType;
    };

const one =
  (instruction: string) =>
  (_lines: Lines, ...inputs: readonly Wat[]) =>
    vector(instruction, ...inputs);

/** Maps each operation to its instructions. */
const operations = {
  add: one('f32x4.add'),
  sub: one('f32x4.sub'),
  mul: one('f32x4.mul'),
  div: one('f32x4.div'),
  max: one('f32x4.max'),
  neg: one('f32x4.neg'),
  sqrt: one('f32x4.sqrt'),
  exp: functions.exp,
  log: functions.log,
  erf: functions.erf,
  tanh: functions.tanh,
  sigmoid: functions.sigmoid,
  softplus: functions.softplus,
  /** The bound is the second operand, so that NaN passes. */
  atLeast: (_lines, x, min) => functions.atLeast(x, min),
  atMost: (_lines, x, max) => functions.atMost(x, max),
  equal: one('f32x4.eq'),
  greater: one('f32x4.gt'),
  greaterOrEqual: one('f32x4.ge'),
  unequal: one('f32x4.ne'),
  addInt: one('i32x4.add'),
  subInt: one('i32x4.sub'),
  mulInt: one('i32x4.mul'),
  negInt: one('i32x4.neg'),
  maxInt: one('i32x4.max_s'),
  equalInt: one('i32x4.eq'),
  unequalInt: one('i32x4.ne'),
  greaterInt: one('i32x4.gt_s'),
  greaterOrEqualInt: one('i32x4.ge_s'),
  /** The operands are the condition, the value where it holds, and the value where it does not. */
  choose: (_lines, mask, a, b) => vector('v128.bitselect', a, b, mask),
  and: one('v128.and'),
  floatOfInt: one('f32x4.convert_i32x4_s'),
  floatOfUint: one('f32x4.convert_i32x4_u'),
  /** The bits stay the same. */
  uintOfInt: (_lines, x) => x,
  shiftRight8: (_lines, x) => vector('i32x4.shr_u', x, '(i32.const 8)'),
  shiftRight16: (_lines, x) => vector('i32x4.shr_u', x, '(i32.const 16)'),
  flush: functions.flush,
  intOfFloat: one('i32x4.trunc_sat_f32x4_s'),
} satisfies Readonly<Record<string, (lines: Lines, a: Wat, b: Wat, c: Wat) => Wat>>;

export type Operation = keyof typeof operations;

export const operandOf = (operand: number, type: LaneType): Expression => ({ kind: 'operand', operand, type });
export const numberOf = (value: number, type: LaneType = 'float'): Expression => ({ kind: 'number', value, type });
export const operate = (type: LaneType, operation: Operation, ...inputs: readonly Expression[]): Expression => ({
  kind: 'operation',
  operation,
  inputs,
  type,
});

/** Returns the expression with denormals replaced by zero. Types other than float32 stay as they are. */
export const flushed = (tree: Expression): Expression =>
  tree.type === 'float' ? operate('float', 'flush', tree) : tree;

/**
 * Writes the instructions of a tree. A subtree that occurs several times is computed once.
 *
 * @param operands the expressions that read the operands
 */
export function evaluate(lines: Lines, tree: Expression, operands: readonly Wat[]): Wat {
  return at(evaluateAll(lines, [tree], operands), 0);
}

/** Writes the instructions of several trees, which may share subtrees. */
export function evaluateAll(lines: Lines, trees: readonly Expression[], operands: readonly Wat[]): readonly Wat[] {
  const known = new Map<Expression, Wat>();
  const visit = (expression: Expression): Wat => {
    const value = known.get(expression) ?? emit(expression);
    known.set(expression, value);
    return value;
  };
  const emit = (expression: Expression): Wat => {
    switch (expression.kind) {
      case 'operand':
        return lines.keep(at(operands, expression.operand));
      case 'number':
        return expression.type === 'float' ? splat(expression.value) : splatInt(expression.value);
      case 'operation': {
        // As many as the operation takes.
        const inputs = expression.inputs.map(visit) as [Wat, Wat, Wat];
        return lines.keep(operations[expression.operation](lines, ...inputs));
      }
    }
  };
  return trees.map(visit);
}
