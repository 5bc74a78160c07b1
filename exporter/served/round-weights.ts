/**
 * Rounds a model's weights to types that take less room than single precision: to halfs, or to 8-bit integers times a
 * scale for each output channel, which others call quantizing the weights. Biases, Batch Norm that is left and all
 * arithmetic stay in single precision, and no `QuantizeLinear` nodes are added.
 */
import { at, elementCount, present } from '../../training/arrays/index.ts';
import { optimizeModel } from '../../training/backend/index.ts';
import { decodeProto, encodeProto, type onnx, onnxProto } from '../../training/graph/index.ts';
import { attributeOf } from './constants.ts';
import { largestHalf, roundedToHalfs } from './halfs.ts';
import { isOwnDomain } from './dependents.ts';

export const weightTypes = ['float32', 'float16', 'int8'] as const;
/** The type in which a model's weights are stored. */
export type WeightType = (typeof weightTypes)[number];

export const weightPlaces = ['script', 'assets'] as const;
/** The place in which they are stored. */
export type WeightPlace = (typeof weightPlaces)[number];

const { TensorProto } = onnxProto.onnx;
const { FLOAT }: Readonly<Record<'FLOAT', number>> = TensorProto.DataType;

/** Says how elements lie: those of channel c of `channels` are at [o, c, i] of `[outer, channels, inner]`. */
export interface ChannelLayout {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** 8-bit weights: `values[i]` is `integers[i] · scales[channel of i]`. */
export interface Scaled {
  readonly integers: Int8Array;
  readonly scales: Float32Array;
}

/** A weight as it is served, row-major. */
export interface Weight extends ChannelLayout {
  readonly values: Float32Array;
  /** `scaled` is there if the weight is stored as `int8`. */
  readonly scaled?: Scaled;
}

/** A file with rounded weights, all of them in single precision. */
export interface RoundedModel {
  readonly bytes: Uint8Array;
  readonly weights: readonly Weight[];
}

/**
 * Rounds the weights of a file.
 *
 * @param type to which weights are rounded
 * @returns a file with the same inputs and outputs. Batch Norm is folded into the layers before wherever the runtime
 *   would fold it, since that changes their weights
 * @throws BackendUnavailable if ONNX Runtime has no native binary
 */
export async function withRoundedWeights(file: Uint8Array, type: WeightType): Promise<RoundedModel> {
  const [original, model] = [decodeProto(file), decodeProto(await optimizeModel(file))];
  const graph: onnx.IGraphProto = model.graph ?? {};
  const rules = weightsOf(graph);
  const weights: Weight[] = [];
  graph.initializer = (graph.initializer ?? []).map((tensor) => {
    const split = rules.get(tensor.name ?? '');
    const values = split && floatsOf(tensor);
    if (!values || values.length < FEWEST_VALUES || !values.every(Number.isFinite)) return tensor;
    const parts = partsOf(values, split).map((part) => round[type](part));
    weights.push(...parts);
    return withValues(tensor, parts);
  });
  // The folded file has shapes that the runtime inferred; the original's are kept.
  graph.input = original.graph?.input ?? [];
  graph.output = original.graph?.output ?? [];
  model.opsetImport = usedOpsets(model);
  return { bytes: encodeProto(model), weights };
}

const round: Readonly<Record<WeightType, (weight: Weight) => Weight>> = {
  float32: (weight) => weight,
  float16: (weight) => (isHalf(weight.values) ? { ...weight, values: roundedToHalfs(weight.values) } : weight),
  int8: (weight) => {
    const scaled = scaledOf(weight);
    return { ...weight, values: valuesOf(weight, scaled), scaled };
  },
};

/** A tensor with fewer values is not worth rounding. */
const FEWEST_VALUES = 256;

const isHalf = (values: Float32Array): boolean => values.every((value) => Math.abs(value) <= largestHalf);

/** Drops the domains that no node uses: the runtime lists all that it knows. */
const usedOpsets = ({ opsetImport, graph }: onnx.IModelProto): onnx.IOperatorSetIdProto[] => {
  const domains = new Set((graph?.node ?? []).map(({ domain }) => domain ?? ''));
  return (opsetImport ?? []).filter(({ domain }) => isOwnDomain(domain) || domains.has(domain ?? ''));
};

/** Returns the values of a tensor; undefined if they are not in single precision. */
function floatsOf({ dataType, dims, rawData }: onnx.ITensorProto): Float32Array | undefined {
  const count = elementCount((dims ?? []).map(Number));
  if (dataType !== FLOAT || rawData?.byteLength !== 4 * count) return undefined;
  // The copy is aligned; in the file the bytes may begin anywhere.
  return new Float32Array(Uint8Array.from(rawData).buffer);
}

function partsOf(values: Float32Array, { outer, channels, inner, isSplit }: Split): readonly Weight[] {
  if (!isSplit) return [{ outer, channels, inner, values }];
  const size = channels * inner;
  return Array.from({ length: outer }, (_, o) => ({
    outer: 1,
    channels,
    inner,
    values: values.slice(o * size, (o + 1) * size),
  }));
}

const withValues = (tensor: onnx.ITensorProto, parts: readonly Weight[]): onnx.ITensorProto => ({
  ...tensor,
  rawData: Buffer.concat(
    parts.map(({ values: { buffer, byteOffset, byteLength } }) => new Uint8Array(buffer, byteOffset, byteLength)),
  ),
});

/** Scales a weight symmetrically: 127 stands for the largest value of a channel. */
function scaledOf({ values, ...layout }: Weight): Scaled {
  const largest = new Float32Array(layout.channels);
  eachChannel(layout, (i, channel) => {
    largest[channel] = Math.max(present(largest[channel]), Math.abs(present(values[i])));
  });
  const scales = largest.map((size) => (size === 0 ? 1 : size / 127));
  const integers = new Int8Array(values.length);
  eachChannel(layout, (i, channel) => {
    const steps = Math.round(present(values[i]) / present(scales[channel]));
    integers[i] = Math.max(-127, Math.min(127, steps));
  });
  return { integers, scales };
}

function valuesOf(layout: ChannelLayout, { integers, scales }: Scaled): Float32Array {
  const values = new Float32Array(integers.length);
  eachChannel(layout, (i, channel) => {
    values[i] = present(integers[i]) * present(scales[channel]);
  });
  return values;
}

function eachChannel({ outer, channels, inner }: ChannelLayout, visit: (index: number, channel: number) => void): void {
  for (let o = 0, i = 0; o < outer; o++) {
    for (let channel = 0; channel < channels; channel++) {
      for (const end = i + inner; i < end; i++) visit(i, channel);
    }
  }
}

/** The layout of an initializer. `isSplit` is true if each index of its first dimension is a weight of its own. */
interface Split extends ChannelLayout {
  readonly isSplit: boolean;
}

/** Finds the initializers that nodes of the main graph use as weights. */
function weightsOf({ node, initializer }: onnx.IGraphProto): ReadonlyMap<string, Split> {
  const dims = new Map((initializer ?? []).map((tensor) => [tensor.name ?? '', (tensor.dims ?? []).map(Number)]));
  const found = new Map<string, Split>();
  for (const one of node ?? []) {
    const rule = isOwnDomain(one.domain) ? weighted[one.opType ?? ''] : undefined;
    for (const name of rule?.inputs.map((input) => one.input?.[input] ?? '') ?? []) {
      const sizes = dims.get(name);
      if (!rule || !sizes || sizes.length < 2 || found.has(name)) continue;
      found.set(name, { ...layoutAt(sizes, rule.axis(one, sizes)), isSplit: rule.isSplit ?? false });
    }
  }
  return found;
}

const layoutAt = (dims: readonly number[], axis: number): ChannelLayout => ({
  outer: elementCount(dims.slice(0, axis)),
  channels: at(dims, axis),
  inner: elementCount(dims.slice(axis + 1)),
});

interface Weighted {
  /** Lists the inputs of the operator that are weights. */
  readonly inputs: readonly number[];
  /** Returns the axis of the weights along which the output's channels lie. */
  readonly axis: (node: onnx.INodeProto, dims: readonly number[]) => number;
  readonly isSplit?: boolean;
}

const first = () => 0;
const second = () => 1;
/** The weights of recurrent layers, split by direction. */
const gates: Weighted = { inputs: [1, 2], axis: second, isSplit: true };

const weighted: Readonly<Record<string, Weighted | undefined>> = {
  Conv: { inputs: [1], axis: first },
  ConvTranspose: { inputs: [1], axis: second },
  Gemm: { inputs: [1], axis: (node) => (Number(attributeOf(node, 'transB')?.i ?? 0) === 0 ? 1 : 0) },
  MatMul: { inputs: [1], axis: (_node, dims) => dims.length - 1 },
  Gather: { inputs: [0], axis: first },
  LSTM: gates,
  GRU: gates,
  RNN: gates,
};
