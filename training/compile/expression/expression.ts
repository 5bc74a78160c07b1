/**
 * What an elementwise step computes: a tree whose leaves are operands and numbers, evaluated for four elements at once. A chain of
 * ONNX nodes becomes one tree, so that what lies between them is never written to memory.
 */
import { splat, splatInt, vector, type Wat } from '../wat.ts';
import * as functions from './functions.ts';
import type { Lines } from './lines.ts';

/** What a lane holds: a float32, an integer of 32 bits, one without a sign, or a boolean: all bits or none. */
export type LaneType = 'float' | 'int' | 'uint' | 'mask';

export type Expression =
  /** The operand of that number. */
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

/** Each operation in instructions. */
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
  /** The bounds come second: NaN passes. */
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
  /** condition, where it holds, where not. */
  choose: (_lines, mask, a, b) => vector('v128.bitselect', a, b, mask),
  and: one('v128.and'),
  floatOfInt: one('f32x4.convert_i32x4_s'),
  floatOfUint: one('f32x4.convert_i32x4_u'),
  /** The same bits. */
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

/** The same with zero in place of a denormal; what holds no float32 stays as it is. */
export const flushed = (tree: Expression): Expression =>
  tree.type === 'float' ? operate('float', 'flush', tree) : tree;

/**
 * Writes the instructions of a tree; what occurs twice in it is computed once.
 *
 * @param operands what reads each operand
 */
export function evaluate(lines: Lines, tree: Expression, operands: readonly Wat[]): Wat {
  return evaluateAll(lines, [tree], operands)[0] ?? '';
}

/** The same for several trees, which may have parts in common. */
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
        return lines.keep(operands[expression.operand] ?? '');
      case 'number':
        return expression.type === 'float' ? splat(expression.value) : splatInt(expression.value);
      case 'operation': {
        const [a = '', b = '', c = ''] = expression.inputs.map(visit);
        const inputs = [a, b, c].slice(0, expression.inputs.length) as [Wat, Wat, Wat];
        return lines.keep(operations[expression.operation](lines, ...inputs));
      }
    }
  };
  return trees.map(visit);
}
