/**
 * The ONNX operators that the project emits: names, inputs, outputs and attributes verbatim from the specification,
 * opset 18. Nodes and graphs are defined here too, since an attribute may be a graph.
 *
 * An op added here does not compile until it has a shape rule (`schemas/`) and a gradient rule (`../autodiff/rules/`).
 *
 * Source: https://github.com/onnx/onnx/blob/v1.13.0/docs/Operators.md
 */
import type { DType, Value } from './types.ts';

export const opset = 18;

interface Signature {
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: object;
}

interface Op<
  I extends readonly (Value | undefined)[],
  O extends readonly Value[],
  A extends object = object,
> extends Signature {
  readonly inputs: I;
  readonly outputs: O;
  readonly attributes: Readonly<A>;
}

type Unary = Op<[X: Value], [Y: Value]>;
type Binary = Op<[A: Value, B: Value], [C: Value]>;
type Reduction = Op<[data: Value, axes: Value], [reduced: Value], { keepdims: 0 | 1 }>;

export interface Window {
  kernel_shape: readonly number[];
  strides: readonly number[];
  /** `[top, left, bottom, right]`. */
  pads: readonly number[];
}

export interface OpSignatures {
  // Elementwise.
  Add: Binary;
  Sub: Binary;
  Mul: Binary;
  Div: Binary;
  Neg: Unary;
  Max: Binary;
  HardSigmoid: Op<[X: Value], [Y: Value], { alpha: number; beta: number }>;
  Sqrt: Unary;
  Exp: Unary;
  Log: Unary;
  Erf: Unary;
  Relu: Unary;
  LeakyRelu: Op<[X: Value], [Y: Value], { alpha: number }>;
  Sigmoid: Unary;
  Tanh: Unary;
  Softplus: Unary;
  Clip: Op<[input: Value, min: Value, max: Value], [output: Value]>;
  Equal: Binary;
  Greater: Binary;
  GreaterOrEqual: Binary;
  IsNaN: Unary;
  Where: Op<[condition: Value, X: Value, Y: Value], [output: Value]>;
  Cast: Op<[input: Value], [output: Value], { to: DType }>;
  Identity: Unary;

  // Reduction.
  ReduceMax: Reduction;
  ReduceMean: Reduction;
  ReduceSum: Reduction;
  ArgMax: Op<[data: Value], [reduced: Value], { axis: number; keepdims: 0 | 1 }>;

  // Linear algebra.
  MatMul: Op<[A: Value, B: Value], [Y: Value]>;
  Gemm: Op<
    [A: Value, B: Value, C?: Value],
    [Y: Value],
    { alpha?: number; beta?: number; transA?: 0 | 1; transB?: 0 | 1 }
  >;
  // ONNX Runtime's own: MatMul of stacks that may be stored with the stack's axis second, `[M, stack, K]`, or as
  // transposes.
  // Source: https://github.com/microsoft/onnxruntime/blob/v1.20.0/docs/ContribOperators.md#com.microsoft.FusedMatMul
  'com.microsoft.FusedMatMul': Op<
    [A: Value, B: Value],
    [Y: Value],
    { transA?: 0 | 1; transB?: 0 | 1; transBatchA?: 0 | 1; transBatchB?: 0 | 1 }
  >;

  // Convolution and pooling.
  Conv: Op<[X: Value, W: Value, B?: Value], [Y: Value], Window & { dilations: readonly number[]; group: number }>;
  ConvTranspose: Op<
    [X: Value, W: Value, B?: Value],
    [Y: Value],
    Window & { dilations: readonly number[]; group: number; output_padding: readonly number[] }
  >;
  MaxPool: Op<[X: Value], [Y: Value, Indices: Value], Window>;
  AveragePool: Op<[X: Value], [Y: Value], Window>;

  // ONNX Runtime's own, for processors with vectors: channels in blocks of b. A tensor of shape `[N, C, H, W]` is then
  // stored as `[N, C / b, H, W, b]`, and filters `[O, I, kH, kW]` as `[O / b, I / b, kH, kW, b of I, b of O]`.
  // Source:
  // https://github.com/microsoft/onnxruntime/blob/v1.20.0/onnxruntime/core/graph/contrib_ops/nchwc_schema_defs.cc
  'com.microsoft.nchwc.ReorderInput': Unary;
  'com.microsoft.nchwc.ReorderOutput': Op<[X: Value], [Y: Value], { channels: number }>;
  /** Y = activation(W * X + B + Sum) */
  'com.microsoft.nchwc.Conv': Op<
    [X: Value, W: Value, B?: Value, Sum?: Value],
    [Y: Value],
    Window & {
      dilations: readonly number[];
      group: number;
      activation?: 'Relu' | 'HardSigmoid';
      /** Alpha and beta of HardSigmoid. */
      activation_params?: readonly number[];
    }
  >;

  // Movement.
  Concat: Op<Value[], [concat_result: Value], { axis: number }>;
  Expand: Op<[input: Value, shape: Value], [output: Value]>;
  Flatten: Op<[input: Value], [output: Value], { axis: number }>;
  Gather: Op<[data: Value, indices: Value], [output: Value], { axis: number }>;
  Pad: Op<[data: Value, pads: Value], [output: Value], { mode: 'constant' }>;
  Reshape: Op<[data: Value, shape: Value], [reshaped: Value]>;
  ScatterElements: Op<
    [data: Value, indices: Value, updates: Value],
    [output: Value],
    { axis: number; reduction: 'add' }
  >;
  Slice: Op<[data: Value, starts: Value, ends: Value, axes: Value, steps: Value], [output: Value]>;
  Transpose: Op<[data: Value], [transposed: Value], { perm: readonly number[] }>;

  // Normalization.
  BatchNormalization: Op<
    [X: Value, scale: Value, B: Value, input_mean: Value, input_var: Value],
    [Y: Value, running_mean: Value, running_var: Value],
    {
      epsilon: number;
      /** The share of the OLD running value kept: running = running · momentum + batch · (1 − momentum). */
      momentum: number;
      training_mode: 0 | 1;
    }
  >;
  LayerNormalization: Op<
    [X: Value, Scale: Value, B: Value],
    [Y: Value, Mean: Value, InvStdDev: Value],
    {
      /** The first of the axes that are normalized together. */
      axis: number;
      epsilon: number;
    }
  >;

  // Classification.
  Softmax: Op<[input: Value], [output: Value], { axis: number }>;
  SoftmaxCrossEntropyLoss: Op<
    [scores: Value, labels: Value],
    [output: Value, log_prob: Value],
    { reduction: 'mean' | 'sum' }
  >;

  // Control flow.
  Loop: Op<[M: Value, cond: Value, ...v_initial: Value[]], Value[], { body: Graph }>;
}

/** An op of another domain than ONNX's has the domain as a prefix. */
export type OpType = keyof OpSignatures;
export type Inputs<O extends OpType> = OpSignatures[O]['inputs'];
export type Outputs<O extends OpType> = OpSignatures[O]['outputs'];
export type Attributes<O extends OpType> = OpSignatures[O]['attributes'];

export interface OpNode<Op extends OpType> {
  readonly op: Op;
  readonly name: string;
  readonly inputs: Inputs<Op>;
  readonly outputs: Outputs<Op>;
  readonly attributes: Attributes<Op>;
}

/** A node of any op, discriminated by `op`. */
export type Node = { [Op in OpType]: OpNode<Op> }[OpType];

export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly initializers: readonly Value[];
  /** The nodes in topological order. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
}

type KeysOfUnion<T> = T extends unknown ? keyof T : never;
export type AttributeName = KeysOfUnion<Attributes<OpType>>;

/**
 * Maps each attribute to its type in an `AttributeProto`. A `bit` is an INT of 0 or 1, a `dtype` an INT that holds a
 * `TensorProto.DataType`.
 */
export const attributeTypes: {
  readonly [A in AttributeName]: 'INT' | 'INTS' | 'FLOAT' | 'FLOATS' | 'STRING' | 'GRAPH' | 'bit' | 'dtype';
} = {
  activation: 'STRING',
  activation_params: 'FLOATS',
  alpha: 'FLOAT',
  axis: 'INT',
  beta: 'FLOAT',
  body: 'GRAPH',
  channels: 'INT',
  dilations: 'INTS',
  epsilon: 'FLOAT',
  group: 'INT',
  keepdims: 'bit',
  kernel_shape: 'INTS',
  mode: 'STRING',
  momentum: 'FLOAT',
  output_padding: 'INTS',
  pads: 'INTS',
  perm: 'INTS',
  reduction: 'STRING',
  strides: 'INTS',
  to: 'dtype',
  training_mode: 'bit',
  transA: 'bit',
  transB: 'bit',
  transBatchA: 'bit',
  transBatchB: 'bit',
};
