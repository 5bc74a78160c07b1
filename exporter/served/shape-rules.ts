/** Derives the shapes of values that depend on the samples, whose number stays unknown. */
import type { onnx } from '../../training/graph/index.ts';
import { attributeOf } from './constants.ts';
import { all, broadcast, dimsOf, inputOf, intOf, intsOf, type KnownValues, type Shape } from './known-values.ts';

type ShapeRule = (node: onnx.INodeProto, state: KnownValues) => Shape | undefined;

const sameShape: ShapeRule = (node, { shapes }) => shapes.get(inputOf(node, 0));

const broadcastShape: ShapeRule = (node, state) => {
  const [a, b] = [0, 1].map((i) => state.shapes.get(inputOf(node, i)) ?? dimsOf(inputOf(node, i), state));
  return broadcast(a, b);
};

/** Returns the shape after a window of weights or of a pool has slid over the places. */
function slide(
  node: onnx.INodeProto,
  shape: Shape | undefined,
  channels: number,
  kernel: readonly number[],
): Shape | undefined {
  const ints = (name: string): readonly number[] => (attributeOf(node, name)?.ints ?? []).map(Number);
  const [strides, pads, dilations] = [ints('strides'), ints('pads'), ints('dilations')];
  const auto = new TextDecoder().decode(attributeOf(node, 'auto_pad')?.s ?? new Uint8Array());
  const sizes = shape?.slice(2).map((size, i) => {
    const stride = strides[i] ?? 1;
    if (auto.startsWith('SAME')) return Math.ceil(size / stride);
    const padded = auto === 'VALID' ? size : size + (pads[i] ?? 0) + (pads[i + kernel.length] ?? 0);
    const steps = (padded - (dilations[i] ?? 1) * ((kernel[i] ?? NaN) - 1) - 1) / stride;
    return intOf(node, 'ceil_mode', 0) === 1 ? NaN : Math.floor(steps) + 1;
  });
  return sizes && [NaN, channels, ...sizes];
}

const pool: ShapeRule = (node, { shapes }) => {
  const shape = shapes.get(inputOf(node, 0));
  return slide(node, shape, shape?.[1] ?? NaN, (attributeOf(node, 'kernel_shape')?.ints ?? []).map(Number));
};

const onePlace: ShapeRule = (node, { shapes }) =>
  shapes.get(inputOf(node, 0))?.map((size, axis) => (axis > 1 ? 1 : size));

/** Holds a rule for each operator that often lies between the samples and a reshape. */
export const shapeRules: Readonly<Record<string, ShapeRule | undefined>> = {
  ...all(sameShape, [
    'BatchNormalization',
    'Relu',
    'Clip',
    'LeakyRelu',
    'Sigmoid',
    'Tanh',
    'Elu',
    'Identity',
    'Dropout',
  ]),
  ...all(broadcastShape, ['Add', 'Sub', 'Mul', 'Div']),
  ...all(pool, ['MaxPool', 'AveragePool']),
  ...all(onePlace, ['GlobalAveragePool', 'GlobalMaxPool']),
  Conv: (node, state) => {
    const [channels = NaN, , ...kernel] = dimsOf(inputOf(node, 1), state) ?? [];
    return slide(node, state.shapes.get(inputOf(node, 0)), channels, kernel);
  },
  Gemm: (node, state) => {
    const weight = dimsOf(inputOf(node, 1), state);
    return [NaN, weight?.[intOf(node, 'transB', 0) === 1 ? 0 : 1] ?? NaN];
  },
  ReduceMean: (node, state) => {
    const [shape, axes] = [state.shapes.get(inputOf(node, 0)), intsOf(node, state, 'axes', 1)];
    const isReduced = (axis: number): boolean =>
      axes?.some((a) => a === axis || a === axis - (shape?.length ?? 0)) ?? false;
    return intOf(node, 'keepdims', 1) === 1
      ? shape?.map((size, axis) => (isReduced(axis) ? 1 : size))
      : shape?.filter((_, axis) => !isReduced(axis));
  },
};
