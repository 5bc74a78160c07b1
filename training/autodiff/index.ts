/** Reverse-mode automatic differentiation on the ONNX graph. */
export type { Grads, RuleTable, VjpRule } from './rule.ts';
export { gradients } from './vjp.ts';
