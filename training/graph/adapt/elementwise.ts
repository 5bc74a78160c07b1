/** Expresses elementwise ops by this project's ops. */
import { type Foreign, float, type Rule } from './foreign.ts';

const isFloat = (node: Foreign, name = node.x): boolean => node.dtypeOf(name) === 'float32';

/** Restricts a rule to float32. */
const ofFloats =
  (rule: Rule): Rule =>
  (node) =>
    isFloat(node) && rule(node);

const withSwappedInputs = (opType: string): Rule => {
  return (node) => node.end(opType, [node.input(1), node.x]);
};

/** Applies a binary op to all inputs from left to right. */
const oneByOne =
  (join: (node: Foreign, a: string, b: string, isLast: boolean) => string): Rule =>
  (node) => {
    const [first = '', ...others] = node.inputs;
    if (others.length === 0) return node.end('Identity', [first]);
    others.reduce((sum, other, i) => join(node, sum, other, i === others.length - 1), first);
    return true;
  };

const binary =
  (opType: string) =>
  (node: Foreign, a: string, b: string, isLast: boolean): string =>
    node.add(opType, [a, b], [], isLast ? [node.out] : undefined);

/** min(a, b) = −max(−a, −b). Integers are compared instead, since −(−2³¹) overflows. */
function minimum(node: Foreign, a: string, b: string, isLast: boolean): string {
  const output = isLast ? [node.out] : undefined;
  if (!isFloat(node, a)) return node.add('Where', [node.add('Greater', [a, b]), b, a], [], output);
  const [minusA, minusB] = [node.add('Neg', [a]), node.add('Neg', [b])];
  return node.add('Neg', [node.add('Max', [minusA, minusB])], [], output);
}

/** Returns x where it is not negative, otherwise `below`. */
const orBelow = (node: Foreign, below: string): true =>
  node.end('Where', [node.add('GreaterOrEqual', [node.x, node.scalar(0)]), node.x, below]);

/** alpha (e^(x / by) − 1) */
function exponential(node: Foreign, alpha: number, by = 1): string {
  const power = node.add('Exp', [by === 1 ? node.x : node.add('Div', [node.x, node.scalar(by)])]);
  return node.add('Mul', [node.add('Sub', [power, node.scalar(1)]), node.scalar(alpha)]);
}

const powers: Readonly<Record<number, ((node: Foreign) => boolean) | undefined>> = {
  1: (node) => node.end('Identity', [node.x]),
  2: (node) => node.end('Mul', [node.x, node.x]),
  3: (node) => node.end('Mul', [node.add('Mul', [node.x, node.x]), node.x]),
  0.5: (node) => node.end('Sqrt', [node.x]),
  [-0.5]: (node) => node.end('Div', [node.scalar(1), node.add('Sqrt', [node.x])]),
  [-1]: (node) => node.end('Div', [node.scalar(1), node.x]),
};

/** ½ x (1 + f(x)) with f = erf(x / √2), or tanh of √(2/π) (x + 0.044715 x³). */
function gelu(node: Foreign): boolean {
  const { x } = node;
  const approximate = node.textOf('approximate', 'none');
  if (approximate !== 'none' && approximate !== 'tanh') return false;
  const times = (a: string, factor: number): string => node.add('Mul', [a, node.scalar(factor)]);
  const cube = (): string => node.add('Mul', [node.add('Mul', [x, x]), x]);
  const f =
    approximate === 'none'
      ? node.add('Erf', [times(x, Math.SQRT1_2)])
      : node.add('Tanh', [times(node.add('Add', [x, times(cube(), 0.044715)]), Math.sqrt(2 / Math.PI))]);
  return node.end('Mul', [times(x, 0.5), node.add('Add', [f, node.scalar(1)])]);
}

const largest = 3.4028234663852886e38;

export const elementwise: Readonly<Record<string, Rule | undefined>> = {
  Less: withSwappedInputs('Greater'),
  LessOrEqual: withSwappedInputs('GreaterOrEqual'),
  Sum: oneByOne(binary('Add')),
  Max: (node) => node.inputs.length !== 2 && oneByOne(binary('Max'))(node),
  Min: oneByOne(minimum),
  Mean: (node) => {
    const count = node.inputs.length;
    const [first = '', ...others] = node.inputs;
    const sum = others.reduce((total, other) => node.add('Add', [total, other]), first);
    return node.end('Div', [sum, node.scalar(count)]);
  },
  // |x| = max(x, −x)
  Abs: (node) => node.end('Max', [node.x, node.add('Neg', [node.x])]),
  Reciprocal: ofFloats((node) => node.end('Div', [node.scalar(1), node.x])),
  Pow: ofFloats((node) => {
    const exponent = node.numberOf(node.input(1));
    return exponent !== undefined && powers[exponent]?.(node) === true;
  }),
  // Dropout is the identity except in training mode.
  Dropout: (node) => {
    const training = node.input(2);
    if (training !== '' && node.numberOf(training) !== 0) return false;
    return node.end('Identity', [node.x]);
  },
  // x · max(0, min(1, x / 6 + ½))
  HardSwish: (node) =>
    node.end('Mul', [node.x, node.add('HardSigmoid', [node.x], [float('alpha', 1 / 6), float('beta', 0.5)])]),
  // x σ(alpha x)
  Swish: ofFloats((node) => {
    const alpha = node.floatOf('alpha', 1);
    const scaled = alpha === 1 ? node.x : node.add('Mul', [node.x, node.scalar(alpha)]);
    return node.end('Mul', [node.x, node.add('Sigmoid', [scaled])]);
  }),
  Gelu: ofFloats(gelu),
  Mish: ofFloats((node) => node.end('Mul', [node.x, node.add('Tanh', [node.add('Softplus', [node.x])])])),
  Elu: ofFloats((node) => orBelow(node, exponential(node, node.floatOf('alpha', 1)))),
  Celu: ofFloats((node) => {
    const alpha = node.floatOf('alpha', 1);
    return orBelow(node, exponential(node, alpha, alpha));
  }),
  Selu: ofFloats((node) => {
    const [alpha, gamma] = [node.floatOf('alpha', 1.6732632), node.floatOf('gamma', 1.050701)];
    const above = node.add('Mul', [node.x, node.scalar(gamma)]);
    const isBelow = node.add('Greater', [node.scalar(0), node.x]);
    return node.end('Where', [isBelow, exponential(node, alpha * gamma), above]);
  }),
  PRelu: ofFloats((node) => orBelow(node, node.add('Mul', [node.x, node.input(1)]))),
  ThresholdedRelu: ofFloats((node) => {
    const isAbove = node.add('Greater', [node.x, node.scalar(node.floatOf('alpha', 1))]);
    return node.end('Where', [isAbove, node.x, node.scalar(0)]);
  }),
  // x / (1 + |x|)
  Softsign: ofFloats((node) => {
    const magnitude = node.add('Max', [node.x, node.add('Neg', [node.x])]);
    return node.end('Div', [node.x, node.add('Add', [magnitude, node.scalar(1)])]);
  }),
  Not: (node) => node.end('Equal', [node.x, node.scalar(0, 'bool')]),
  And: (node) => node.end('Where', [node.x, node.input(1), node.scalar(0, 'bool')]),
  Or: (node) => node.end('Where', [node.x, node.scalar(1, 'bool'), node.input(1)]),
  Xor: (node) => node.end('Equal', [node.add('Equal', [node.x, node.input(1)]), node.scalar(0, 'bool')]),
  Clip: ofFloats((node) => {
    const [, min = '', max = ''] = node.inputs;
    if (min !== '' && max !== '') return false;
    const bound = (given: string, otherwise: number): string => (given === '' ? node.scalar(otherwise) : given);
    return node.end('Clip', [node.x, bound(min, -largest), bound(max, largest)]);
  }),
};
