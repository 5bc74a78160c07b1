/** Reverse-mode automatic differentiation of ONNX graphs. */
export { gradients } from './vjp.ts';
