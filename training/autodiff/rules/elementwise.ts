/** Gradients of the elementwise ops. The driver sums over broadcast axes, so the rules need not. */
import type { OpType, Value } from '../../graph/index.ts';
import { notDifferentiable, type RuleTable } from '../rule.ts';

const comparison = notDifferentiable('a comparison has no gradient');
const isFloat = ({ dtype }: Value): boolean => dtype === 'float32' || dtype === 'float64';

export const elementwise = {
  // d(A + B) = dA + dB
  Add: (_g, _node, [dC]) => [dC, dC],
  // d(A − B) = dA − dB
  Sub: (g, _node, [dC]) => [dC, g.Neg(dC)],
  // d(A · B) = B · dA + A · dB
  Mul: (g, { inputs: [A, B] }, [dC]) => [g.Mul(dC, B), g.Mul(dC, A)],
  // d(A / B) = dA / B − (A / B) · dB / B
  Div: (g, { inputs: [, B], outputs: [C] }, [dC]) => {
    const dA = g.Div(dC, B);
    return [dA, g.Neg(g.Mul(dA, C))];
  },
  // d(−X) = −dX
  Neg: (g, _node, [dY]) => [g.Neg(dY)],
  // d√X = dX / (2 √X)
  Sqrt: (g, { outputs: [Y] }, [dY]) => [g.Div(dY, g.Mul(g.scalar(2), Y))],
  // d eˣ = eˣ · dX
  Exp: (g, { outputs: [Y] }, [dY]) => [g.Mul(dY, Y)],
  // d ln X = dX / X
  Log: (g, { inputs: [X] }, [dY]) => [g.Div(dY, X)],
  // d erf X = 2 / √π e^(−X²) · dX
  Erf: (g, { inputs: [X] }, [dY]) => [g.Mul(dY, g.Mul(g.Exp(g.Neg(g.Mul(X, X))), g.scalar(2 / Math.sqrt(Math.PI))))],
  // d max(X, 0) = 1[X > 0] · dX
  Relu: (g, { outputs: [Y] }, [dY]) => [g.Mul(dY, g.Cast(g.Greater(Y, g.scalar(0)), { to: Y.dtype }))],
  Max: notDifferentiable('Max is emitted in lowered gradients only'),
  HardSigmoid: notDifferentiable('HardSigmoid is emitted in lowered gradients only'),
  // d leaky(X) = (1 or α) · dX
  LeakyRelu: (g, { inputs: [X], attributes: { alpha } }, [dY]) => [
    g.Where(g.Greater(X, g.scalar(0)), dY, g.Mul(dY, g.scalar(alpha))),
  ],
  // dσ(X) = σ (1 − σ) · dX
  Sigmoid: (g, { outputs: [Y] }, [dY]) => [g.Mul(dY, g.Mul(Y, g.Sub(g.scalar(1), Y)))],
  // d tanh X = (1 − tanh² X) · dX
  Tanh: (g, { outputs: [Y] }, [dY]) => [g.Mul(dY, g.Sub(g.scalar(1), g.Mul(Y, Y)))],
  // d ln(1 + eˣ) = σ(X) · dX
  Softplus: (g, { inputs: [X] }, [dY]) => [g.Mul(dY, g.Sigmoid(X))],
  // d clip(X) = 1[min ≤ X ≤ max] · dX; the limits are not trained
  Clip: (g, { inputs: [X, min, max] }, [dY]) => {
    const zero = g.scalar(0);
    return [g.Where(g.GreaterOrEqual(X, min), g.Where(g.GreaterOrEqual(max, X), dY, zero), zero), null, null];
  },
  Equal: comparison,
  Greater: comparison,
  GreaterOrEqual: comparison,
  IsNaN: comparison,
  // d where(c, X, Y) = where(c, dX, dY)
  Where: (g, { inputs: [condition] }, [dOutput]) => {
    const zero = g.scalar(0);
    return [null, g.Where(condition, dOutput, zero), g.Where(condition, zero, dOutput)];
  },
  // A cast between float types is the identity; nothing flows into integers.
  Cast: (g, { inputs: [input] }, [dOutput]) => [isFloat(input) ? g.Cast(dOutput, { to: input.dtype }) : null],
  // dY = dX
  Identity: (_g, _node, [dY]) => [dY],
} satisfies Partial<RuleTable<OpType>>;
