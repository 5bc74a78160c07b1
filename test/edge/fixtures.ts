/**
 * Generates ONNX files to specialise, with random weights of realistic scale: the graphs that training exports, and one
 * in the style of another tool. Deterministic.
 */

import onnxProto from 'onnx-proto';
import type { onnx } from 'onnx-proto';

import { elementCount } from '../../training/arrays/index.ts';
import { encodeProto } from '../../training/graph/index.ts';

type Shape = readonly (number | string)[];
/** The type of an input. The shape is optional: without it, the file states none. */
type InputType = readonly [elemType: number, shape?: Shape];
type Attributes = Readonly<Record<string, number | readonly number[]>>;

const { AttributeProto, TensorProto } = onnxProto.onnx;
export const { BOOL, FLOAT, INT64 } = TensorProto.DataType;

/** Numbers in [-1, 1) from a linear congruential generator (Numerical Recipes). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Collects the nodes and initializers of one graph with `pixels` in and `logits` out. */
export class GraphFixture {
  readonly #random: () => number;
  readonly #nodes: onnx.INodeProto[] = [];
  readonly #initializers: onnx.ITensorProto[] = [];

  constructor(seed: number) {
    this.#random = randomNumbers(seed);
  }

  node(
    opType: string,
    input: readonly string[],
    output: string | readonly string[],
    attributes: Attributes = {},
  ): string {
    const outputs = typeof output === 'string' ? [output] : [...output];
    const attribute = Object.entries(attributes).map(([name, value]) => encodeAttribute(name, value));
    this.#nodes.push({ opType, name: outputs.join(), input: [...input], output: outputs, attribute });
    return outputs[0] ?? '';
  }

  /** Adds an initializer of uniform numbers around `offset`. */
  random(name: string, dims: readonly number[], scale: number, offset = 0): string {
    const count = elementCount(dims);
    const floatData = Array.from({ length: count }, () => Math.fround(offset + scale * this.#random()));
    this.#initializers.push({ name, dims: [...dims], dataType: FLOAT, rawData: bytesOf(Float32Array.from(floatData)) });
    return name;
  }

  /** Adds a single number. */
  scalar(name: string, value: number): string {
    this.#initializers.push({ name, dims: [], dataType: FLOAT, rawData: bytesOf(Float32Array.of(value)) });
    return name;
  }

  int64(name: string, values: readonly bigint[]): string {
    const rawData = bytesOf(BigInt64Array.from(values));
    this.#initializers.push({ name, dims: [values.length], dataType: INT64, rawData });
    return name;
  }

  /** Adds γ, β, running mean and running variance, then the node. */
  batchNormalization(name: string, x: string, channels: number, trainingMode: boolean): string {
    const parameters = [
      this.random(`${name}.weight`, [channels], 0.5, 1),
      this.random(`${name}.bias`, [channels], 0.3),
      this.random(`${name}.running_mean`, [channels], 0.5),
      this.random(`${name}.running_var`, [channels], 0.4, 1),
    ];
    const outputs = trainingMode ? [`${name}.Y`, `${name}.mean`, `${name}.var`] : [`${name}.Y`];
    const attributes = { epsilon: 1e-5, momentum: 0.9, training_mode: Number(trainingMode) };
    return this.node('BatchNormalization', [x, ...parameters], outputs, attributes);
  }

  encode(
    inputs: Readonly<Record<string, InputType>>,
    outputs: Readonly<Record<string, Shape | undefined>>,
  ): Uint8Array {
    const graph = {
      name: 'fixture',
      node: this.#nodes,
      initializer: this.#initializers,
      input: Object.entries(inputs).map(([name, [elemType, shape]]) => valueInfo(name, elemType, shape)),
      output: Object.entries(outputs).map(([name, shape]) => valueInfo(name, FLOAT, shape)),
    };
    return encodeProto({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph });
  }
}

function bytesOf(array: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer);
}

function encodeAttribute(name: string, value: number | readonly number[]): onnx.IAttributeProto {
  const { FLOAT: float, INT: int, INTS: ints } = AttributeProto.AttributeType;
  if (typeof value !== 'number') return { name, type: ints, ints: [...value] };
  return Number.isInteger(value) ? { name, type: int, i: value } : { name, type: float, f: value };
}

function valueInfo(name: string, elemType: number, shape?: Shape): onnx.IValueInfoProto {
  if (!shape) return { name, type: { tensorType: { elemType } } };
  const dim = shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

export interface CnnOptions {
  readonly seed?: number;
  readonly channels?: readonly [number, number];
  readonly hidden?: number;
  /** Normalizes with the mini-batch's statistics, as in training. */
  readonly trainingMode?: boolean;
  /** Also outputs the first Batch Norm's input and output, as a model for explanations does. */
  readonly explain?: boolean;
}

/** `pixels` [N, 1, 28, 28], raw 0–255 -> conv, Batch Norm, Relu, pool, twice -> dense -> `logits` [N, 10]. */
export function cnn(options: CnnOptions = {}): Uint8Array {
  const { seed = 1, channels = [16, 32], hidden = 128, trainingMode = false, explain = false } = options;
  const g = new GraphFixture(seed);
  const scaled = g.node('Mul', ['pixels', g.random('scale', [1], 0, 1 / 255)], 'scaled');
  const block = (name: string, x: string, from: number, to: number) => {
    const w = g.random(`${name}.weight`, [to, from, 3, 3], Math.sqrt(6 / (9 * from)));
    const z = g.node('Conv', [x, w], `${name}.z`, { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
    const relu = g.node('Relu', [g.batchNormalization(`${name}.bn`, z, to, trainingMode)], `${name}.relu`);
    return g.node('MaxPool', [relu], `${name}.pool`, { kernel_shape: [2, 2], strides: [2, 2] });
  };
  const second = block('conv2', block('conv1', scaled, 1, channels[0]), channels[0], channels[1]);
  const features = 49 * channels[1];
  const flat = g.node('Reshape', [second, g.int64('flat.shape', [-1n, BigInt(features)])], 'flat');
  dense(g, 'fc1', flat, features, hidden);
  const normalized = g.batchNormalization('bn3', 'fc1', hidden, trainingMode);
  dense(g, 'logits', g.node('Relu', [normalized], 'relu3'), hidden, 10);
  const extra = explain ? { 'conv1.z': ['N', channels[0], 28, 28], 'conv1.bn.Y': ['N', channels[0], 28, 28] } : {};
  return g.encode({ pixels: [FLOAT, ['N', 1, 28, 28]] }, { logits: ['N', 10], ...extra });
}

/** `pixels` [N, 784], raw 0–255 -> two dense layers with Batch Norm and Relu -> `logits` [N, 10]. */
export function mlp(options: { readonly seed?: number; readonly hidden?: number } = {}): Uint8Array {
  const { seed = 2, hidden = 256 } = options;
  const g = new GraphFixture(seed);
  let x = g.node('Mul', ['pixels', g.random('scale', [1], 0, 1 / 255)], 'scaled');
  for (const [name, from] of [
    ['fc1', 784],
    ['fc2', hidden],
  ] as const) {
    dense(g, name, x, from, hidden);
    x = g.node('Relu', [g.batchNormalization(`${name}.bn`, name, hidden, false)], `${name}.relu`);
  }
  dense(g, 'logits', x, hidden, 10);
  return g.encode({ pixels: [FLOAT, ['N', 784]] }, { logits: ['N', 10] });
}

/**
 * `features` [N, 2] -> dense, Batch Norm, Relu -> dense -> `logits` [N, 2]: the kind of network that a first table
 * gives.
 */
export function table(seed = 5): Uint8Array {
  const g = new GraphFixture(seed);
  dense(g, 'hidden', 'features', 2, 16);
  dense(g, 'logits', g.node('Relu', [g.batchNormalization('bn', 'hidden', 16, false)], 'relu'), 16, 2);
  return g.encode({ features: [FLOAT, ['N', 2]] }, { logits: ['N', 2] });
}

/** `features` [N, 20] -> dense, Batch Norm, Relu -> dense -> `logits` [N, 2]. */
export function rowsOfTwenty(seed = 12): Uint8Array {
  const g = new GraphFixture(seed);
  dense(g, 'hidden', 'features', 20, 32);
  dense(g, 'logits', g.node('Relu', [g.batchNormalization('bn', 'hidden', 32, false)], 'relu'), 32, 2);
  return g.encode({ features: [FLOAT, ['N', 20]] }, { logits: ['N', 2] });
}

/** `features` [N, 3], the first with gaps and the last one of 4 categories -> dense, Batch Norm -> `logits` [N, 2]. */
export function tableWithCategories(seed = 11): Uint8Array {
  const g = new GraphFixture(seed);
  const missing = g.node('IsNaN', ['features'], 'missing');
  const filled = g.node('Where', [missing, g.random('fill', [3], 1), 'features'], 'filled');
  const isMissing = g.node('Gather', [missing, g.int64('first', [0n])], 'is_missing', { axis: 1 });
  const told = g.node('Cast', [isMissing], 'told', { to: FLOAT });
  const numbers = g.node('Gather', [filled, g.int64('numbers', [0n, 1n])], 'taken', { axis: 1 });
  const repeated = g.node('Gather', [filled, g.int64('repeated', [2n, 2n, 2n, 2n])], 'spread', { axis: 1 });
  const equal = g.node('Equal', [repeated, g.random('categories', [4], 1)], 'equal');
  const hot = g.node('Cast', [equal], 'hot', { to: FLOAT });
  dense(g, 'hidden', g.node('Concat', [numbers, hot, told], 'row', { axis: 1 }), 7, 16);
  dense(g, 'logits', g.node('Relu', [g.batchNormalization('bn', 'hidden', 16, false)], 'relu'), 16, 2);
  return g.encode({ features: [FLOAT, ['N', 3]] }, { logits: ['N', 2] });
}

/** `features` [N, 12] -> Batch Norm -> `logits`: the answer is as large as the request. */
export function loneBatchNorm(seed = 6): Uint8Array {
  const g = new GraphFixture(seed);
  const y = g.batchNormalization('bn', 'features', 12, false);
  return g.encode({ features: [FLOAT, ['N', 12]] }, { [y]: ['N', 12] });
}

/** `x` [rows, columns] times a matrix of 4 × 6: the declared shape does not show the 4 columns. */
export function freeColumns(seed = 7): Uint8Array {
  const g = new GraphFixture(seed);
  g.node('MatMul', ['x', g.random('weight', [4, 6], 1)], 'product');
  g.node('Add', ['product', g.random('bias', [6], 1)], 'y');
  return g.encode({ x: [FLOAT, ['rows', 'columns']] }, { y: ['rows', 6] });
}

/**
 * `x` [N, 32] times a matrix, minus the same product with both reversed: only the rounding of the two orders of
 * summation remains.
 */
export function differences(seed = 14): Uint8Array {
  const g = new GraphFixture(seed);
  const [rows, columns] = [32, 32];
  const turned = g.int64(
    'turned',
    Array.from({ length: rows }, (_, i) => BigInt(rows - 1 - i)),
  );
  const weight = g.random('weight', [rows, columns], 1);
  const other = g.node('Gather', [weight, turned], 'other', { axis: 0 });
  const product = g.node('MatMul', ['x', weight], 'product');
  const again = g.node('MatMul', [g.node('Gather', ['x', turned], 'reversed', { axis: 1 }), other], 'again');
  g.node('Sub', [product, again], 'y');
  return g.encode({ x: [FLOAT, ['N', rows]] }, { y: ['N', columns] });
}

/** `signal` [time, 4, batch] -> Batch Norm of the channels -> its mean over time. */
export function sequences(seed = 13): Uint8Array {
  const g = new GraphFixture(seed);
  g.node('ReduceMean', [g.batchNormalization('bn', 'signal', 4, false)], 'mean', { axes: [0], keepdims: 0 });
  return g.encode({ signal: [FLOAT, ['time', 4, 'batch']] }, { mean: [4, 'batch'] });
}

/** `x` of any shape -> Relu. */
export function shapeless(): Uint8Array {
  const g = new GraphFixture(1);
  g.node('Relu', ['x'], 'y');
  return g.encode({ x: [FLOAT] }, { y: undefined });
}

/** `x` times a matrix of 4 × 6: the file states no shape of `x`, though its last dimension must be 4. */
export function shapelessRows(seed = 9): Uint8Array {
  const g = new GraphFixture(seed);
  g.node('MatMul', ['x', g.random('weight', [4, 6], 1)], 'y');
  return g.encode({ x: [FLOAT] }, { y: undefined });
}

/** `left` + `right`, of any shapes that broadcast. */
export function shapelessSum(): Uint8Array {
  const g = new GraphFixture(1);
  g.node('Add', ['left', 'right'], 'sum');
  return g.encode({ left: [FLOAT], right: [FLOAT] }, { sum: undefined });
}

/**
 * `x` [n], which must have 97 elements, though the file does not state it: two copies of it are reshaped to [1, 194].
 */
export function ninetySeven(seed = 8): Uint8Array {
  const g = new GraphFixture(seed);
  g.node('Concat', ['x', 'x'], 'twice', { axis: 0 });
  g.node('Reshape', ['twice', g.int64('shape', [1n, 194n])], 'row');
  g.node('Softmax', ['row'], 'y', { axis: 1 });
  return g.encode({ x: [FLOAT, ['n']] }, { y: [1, 194] });
}

/** A graph in the style of another tool: a fixed batch of one, Flatten, Gemm, Softmax. */
export function foreign(seed = 3): Uint8Array {
  const g = new GraphFixture(seed);
  const flat = g.node('Flatten', ['pixels'], 'flat', { axis: 1 });
  dense(g, 'hidden', flat, 784, 32);
  dense(g, 'scores', g.node('Tanh', ['hidden'], 'tanh'), 32, 10);
  g.node('Softmax', ['scores'], 'logits', { axis: 1 });
  return g.encode({ pixels: [FLOAT, [1, 1, 28, 28]] }, { logits: [1, 10] });
}

/**
 * Takes inputs of three types, and returns rows of an embedding where `mask` is true, `fallback` elsewhere. A bad index
 * is an error.
 */
export function lookup(seed = 4): Uint8Array {
  const g = new GraphFixture(seed);
  const rows = g.node('Gather', [g.random('embedding', [8, 4], 1), 'indices'], 'rows', { axis: 0 });
  g.node('Where', [g.node('Unsqueeze', ['mask', g.int64('axes', [1n])], 'column'), rows, 'fallback'], 'embedded');
  return g.encode({ indices: [INT64, ['N']], mask: [BOOL, ['N']], fallback: [FLOAT, [4]] }, { embedded: ['N', 4] });
}

function dense(g: GraphFixture, name: string, x: string, from: number, to: number): void {
  const weight = g.random(`${name}.weight`, [to, from], Math.sqrt(3 / from));
  g.node('Gemm', [x, weight, g.random(`${name}.bias`, [to], 0.1)], name, { transB: 1 });
}
