/**
 * The signatures of `ops.ts` at run time: the number of inputs and the attributes of each op. Files are checked against
 * them; code is checked by the compiler.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.13.0/docs/Operators.md
 */
import type { Attributes, OpType } from './ops.ts';

export interface Arity<O extends OpType> {
  readonly inputs: readonly [min: number, max: number];
  /** The specification's default of each attribute. One without a default is required or optional. */
  readonly attributes: { readonly [A in keyof Attributes<O>]-?: Attributes<O>[A] | 'required' | 'optional' };
}

const unary = { inputs: [1, 1], attributes: {} } as const;
const binary = { inputs: [2, 2], attributes: {} } as const;
const reduction = { inputs: [2, 2], attributes: { keepdims: 1 } } as const;
const window = { kernel_shape: 'required', strides: [1, 1], pads: [0, 0, 0, 0] } as const;

export const arities: { readonly [O in OpType]: Arity<O> } = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Neg: unary,
  Max: binary,
  HardSigmoid: { inputs: [1, 1], attributes: { alpha: 0.2, beta: 0.5 } },
  Sqrt: unary,
  Exp: unary,
  Log: unary,
  Erf: unary,
  Relu: unary,
  LeakyRelu: { inputs: [1, 1], attributes: { alpha: 0.01 } },
  Sigmoid: unary,
  Tanh: unary,
  Softplus: unary,
  Clip: { inputs: [3, 3], attributes: {} },
  Equal: binary,
  Greater: binary,
  GreaterOrEqual: binary,
  IsNaN: unary,
  Where: { inputs: [3, 3], attributes: {} },
  Cast: { inputs: [1, 1], attributes: { to: 'required' } },
  Identity: unary,
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceSum: reduction,
  ArgMax: { inputs: [1, 1], attributes: { axis: 0, keepdims: 1 } },
  MatMul: binary,
  Gemm: {
    inputs: [2, 3],
    attributes: { alpha: 'optional', beta: 'optional', transA: 'optional', transB: 'optional' },
  },
  'com.microsoft.FusedMatMul': {
    inputs: [2, 2],
    attributes: { transA: 'optional', transB: 'optional', transBatchA: 'optional', transBatchB: 'optional' },
  },
  Conv: { inputs: [2, 3], attributes: { ...window, dilations: [1, 1], group: 1 } },
  ConvTranspose: { inputs: [2, 3], attributes: { ...window, dilations: [1, 1], group: 1, output_padding: [0, 0] } },
  MaxPool: { inputs: [1, 1], attributes: window },
  AveragePool: { inputs: [1, 1], attributes: window },
  'com.microsoft.nchwc.ReorderInput': unary,
  'com.microsoft.nchwc.ReorderOutput': { inputs: [1, 1], attributes: { channels: 'required' } },
  'com.microsoft.nchwc.Conv': {
    inputs: [2, 4],
    attributes: { ...window, dilations: [1, 1], group: 1, activation: 'optional', activation_params: 'optional' },
  },
  Concat: { inputs: [1, Infinity], attributes: { axis: 'required' } },
  Expand: binary,
  Flatten: { inputs: [1, 1], attributes: { axis: 1 } },
  Gather: { inputs: [2, 2], attributes: { axis: 0 } },
  Pad: { inputs: [2, 2], attributes: { mode: 'constant' } },
  Reshape: binary,
  ScatterElements: { inputs: [3, 3], attributes: { axis: 0, reduction: 'required' } },
  Slice: { inputs: [5, 5], attributes: {} },
  Transpose: { inputs: [1, 1], attributes: { perm: 'required' } },
  BatchNormalization: { inputs: [5, 5], attributes: { epsilon: 1e-5, momentum: 0.9, training_mode: 0 } },
  LayerNormalization: { inputs: [3, 3], attributes: { axis: -1, epsilon: 1e-5 } },
  Softmax: { inputs: [1, 1], attributes: { axis: -1 } },
  SoftmaxCrossEntropyLoss: { inputs: [2, 2], attributes: { reduction: 'mean' } },
  Loop: { inputs: [2, Infinity], attributes: { body: 'required' } },
};
