/** Translates elementwise ONNX nodes to expressions of their inputs. */
import type { DType, Node, OpNode, OpType, Value } from '../../graph/index.ts';
import { uncovered } from '../error.ts';
import { type Expression, type LaneType, numberOf, operate, type Operation } from './expression.ts';

/** The types that the program computes with; integers have 32 bits. */
const laneTypes: Readonly<Partial<Record<DType, LaneType>>> = {
  float32: 'float',
  int32: 'int',
  int64: 'int',
  uint8: 'int',
  uint32: 'uint',
  bool: 'mask',
};

/** @throws CompileError for an element type that the program does not compute with */
export function laneTypeOf(node: Pick<Node, 'name' | 'op'>, { name, dtype }: Value): LaneType {
  const type = laneTypes[dtype];
  if (!type) throw uncovered(node, `expected float32, bool or an integer type, got ${dtype} for ${name}`);
  return type;
}

/** A node's inputs. The schema has checked their number, and a rule names only those that its op has. */
type Inputs = readonly [X: Expression, Y: Expression, Z: Expression];
type Rule<O extends OpType> = (inputs: Inputs, node: OpNode<O>) => Expression;

/** The members of a node that rules need when they do not read attributes. */
interface AnyNode extends Pick<Node, 'name' | 'op'> {
  readonly inputs: readonly [Value, ...Value[]];
}

const unary =
  (operation: Operation) =>
  (inputs: Inputs, node: AnyNode): Expression => {
    expectFloats(inputs, node);
    return operate('float', operation, ...inputs);
  };

/** @param ofInts is absent where integers are not covered */
const binary =
  (ofFloats: Operation, ofInts?: Operation, result?: LaneType) =>
  (inputs: Inputs, node: AnyNode): Expression => {
    if (inputs[0].type === 'float') return operate(result ?? 'float', ofFloats, ...inputs);
    // The low bits of sums and products do not depend on the meaning of the highest bit.
    if (inputs[0].type === 'uint' && (ofInts === 'addInt' || ofInts === 'mulInt'))
      return operate('uint', ofInts, ...inputs);
    // Sums of int64 may need more than 32 bits; comparisons do not.
    const isNarrow = node.inputs[0].dtype === 'int32' || result === 'mask';
    if (inputs[0].type !== 'int' || !ofInts || !isNarrow)
      throw uncovered(node, `expected float32${ofInts ? ' or int32' : ''}, got ${node.inputs[0].dtype}`);
    return operate(result ?? 'int', ofInts, ...inputs);
  };

const [zero, one] = [numberOf(0), numberOf(1)];

const rules = {
  Add: binary('add', 'addInt'),
  Sub: binary('sub', 'subInt'),
  Mul: binary('mul', 'mulInt'),
  Div: (inputs, node) => (inputs[0].type === 'uint' ? shifted(inputs, node) : binary('div')(inputs, node)),
  Max: binary('max', 'maxInt'),
  Neg: (inputs, node) =>
    inputs[0].type === 'int' && node.inputs[0].dtype === 'int32'
      ? operate('int', 'negInt', ...inputs)
      : unary('neg')(inputs, node),
  Sqrt: unary('sqrt'),
  Exp: unary('exp'),
  Log: unary('log'),
  Erf: unary('erf'),
  Tanh: unary('tanh'),
  Sigmoid: unary('sigmoid'),
  Softplus: unary('softplus'),
  Relu: (inputs, node) => operate('float', 'atLeast', ...floats(inputs, node), zero),
  LeakyRelu: (inputs, node) => {
    const [X] = floats(inputs, node);
    const slope = operate('float', 'mul', X, numberOf(node.attributes.alpha));
    return operate('float', 'choose', operate('mask', 'greaterOrEqual', X, zero), X, slope);
  },
  HardSigmoid: (inputs, node) => {
    const { alpha, beta } = node.attributes;
    const [X] = floats(inputs, node);
    const line = operate('float', 'add', operate('float', 'mul', X, numberOf(alpha)), numberOf(beta));
    return operate('float', 'atMost', operate('float', 'atLeast', line, zero), one);
  },
  Clip: (inputs, node) => {
    const [X, min, max] = floats(inputs, node);
    return operate('float', 'atMost', operate('float', 'atLeast', X, min), max);
  },
  Equal: (inputs, node) =>
    inputs[0].type === 'mask'
      ? operate('mask', 'equalInt', ...inputs)
      : binary('equal', 'equalInt', 'mask')(inputs, node),
  Greater: binary('greater', 'greaterInt', 'mask'),
  GreaterOrEqual: binary('greaterOrEqual', 'greaterOrEqualInt', 'mask'),
  IsNaN: (inputs, node) => {
    const [X] = floats(inputs, node);
    return operate('mask', 'unequal', X, X);
  },
  Where: ([condition, X, Y]) => operate(X.type, 'choose', condition, X, Y),
  Cast: ([X], node) => cast(X, node),
  Identity: ([X]) => X,
} satisfies { readonly [O in OpType]?: Rule<O> };

type ElementwiseOp = keyof typeof rules;
export type ElementwiseNode = OpNode<ElementwiseOp>;

export const isElementwise = (node: Node): node is Extract<Node, { op: ElementwiseOp }> =>
  Object.hasOwn(rules, node.op);

/** @throws CompileError for a combination of element types that is not covered */
export function expressionOf(node: Extract<Node, { op: ElementwiseOp }>, inputs: readonly Expression[]): Expression {
  const rule = rules[node.op] as unknown as Rule<OpType>;
  return rule(inputs as unknown as Inputs, node);
}

function cast(X: Expression, node: OpNode<'Cast'>): Expression {
  const from = node.inputs[0].dtype;
  const { to } = node.attributes;
  if (from === to) return X;
  const target = laneTypeOf(node, node.outputs[0]);
  switch (target) {
    case 'uint':
      if (X.type !== 'int') throw uncovered(node, `expected a cast from an integer, got one from ${from} to ${to}`);
      return operate('uint', 'uintOfInt', X);
    case 'float':
      if (X.type === 'mask') return operate('float', 'and', X, one);
      if (X.type === 'uint') return operate('float', 'floatOfUint', X);
      return X.type === 'int' ? operate('float', 'floatOfInt', X) : X;
    case 'mask':
      if (X.type === 'uint') throw uncovered(node, `expected no cast from ${from} to ${to}`);
      return X.type === 'float'
        ? operate('mask', 'unequal', X, zero)
        : operate('mask', 'unequalInt', X, numberOf(0, 'int'));
    case 'int':
      if (X.type === 'uint') throw uncovered(node, `expected no cast from ${from} to ${to}`);
      if (X.type === 'mask') return operate('int', 'and', X, numberOf(1, 'int'));
      // A lane is wider than uint8 and narrower than int64.
      if (to === 'uint8' || (to === 'int32' && from === 'int64') || (to === 'int64' && X.type === 'float'))
        throw uncovered(node, `expected a cast without loss in 32 bits, got one from ${from} to ${to}`);
      return X.type === 'float' ? operate('int', 'intOfFloat', X) : X;
  }
}

/** Covers only the divisions of unsigned integers that dropout's random numbers need. */
function shifted([X, divisor]: Inputs, node: AnyNode): Expression {
  const by = divisor.kind === 'number' ? divisor.value : undefined;
  if (by === 2 ** 8) return operate('uint', 'shiftRight8', X);
  if (by === 2 ** 16) return operate('uint', 'shiftRight16', X);
  throw uncovered(node, 'expected unsigned integers to be divided by 2⁸ or 2¹⁶');
}

function floats(inputs: Inputs, node: AnyNode): Inputs {
  expectFloats(inputs, node);
  return inputs;
}

function expectFloats(inputs: Inputs, node: AnyNode): void {
  if (inputs.some(({ type }) => type !== 'float'))
    throw uncovered(node, `expected float32, got ${node.inputs.map(({ dtype }) => dtype).join(' and ')}`);
}
