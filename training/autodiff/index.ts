/** Reverse-mode automatic differentiation on the ONNX graph. */
export { gradients } from './vjp.ts';
