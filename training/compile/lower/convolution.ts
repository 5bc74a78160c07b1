/** Lowers convolutions and pools of images in blocks of channels. */
import { at, present } from '../../arrays/index.ts';
import { type OpNode, sizesOf, Value } from '../../graph/index.ts';
import { Stored } from '../buffer.ts';
import { broadcastStrides, numbersOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import { conv, type Conv } from '../kernels/conv.ts';
import type { Filters } from '../kernels/filters.ts';
import { depthwise } from '../kernels/depthwise.ts';
import { pool } from '../kernels/pool.ts';
import { windowOf } from '../kernels/window.ts';
import { epilogueOf, padded } from './linalg.ts';
import { type Lowering, shapeOf } from './lowering.ts';
import { dilateImage } from './movement.ts';

type Convolution = OpNode<'Conv'> | OpNode<'ConvTranspose'>;

export function lowerConv(lowering: Lowering, node: OpNode<'Conv'>): void {
  const [X] = node.inputs;
  const filters = filtersOf(node, storedWeights(node));
  const window = windowOf(node.attributes, shapeOf(X), shapeOf(node.outputs[0]));
  emitConv(lowering, node, { x: lowering.blocked(node, X), filters, window });
}

/**
 * Lowers a transposed convolution to a convolution with flipped filters, over the image with zeros between its pixels
 * as the strides require.
 */
export function lowerConvTranspose(lowering: Lowering, node: OpNode<'ConvTranspose'>): void {
  const [X] = node.inputs;
  const { strides, pads, dilations, kernel_shape } = node.attributes;
  const filters = flippedFiltersOf(node, storedWeights(node));
  if (X.shape[0] !== 1) throw uncovered(node, `expected one image [1, C, H, W], got [${X.shape.join(', ')}]`);
  const [, channels, ...sizes] = sizesOf(X, 4);
  const apart = sizes.map((size, axis) => (size - 1) * at(strides, axis) + 1);
  const before = sizes.map((_, axis) => (at(kernel_shape, axis) - 1) * at(dilations, axis) - at(pads, axis));
  if (before.some((padding) => padding < 0)) throw uncovered(node, 'expected pads within the kernel, got larger ones');
  const wide = new Value(`${node.outputs[0].name}/apart`, { dtype: X.dtype, shape: [1, channels, ...apart] });
  const image = apart.join() === sizes.join() ? X : dilateImage(lowering, node, wide, strides);
  const window = windowOf(
    { kernel_shape, strides: [1, 1], pads: before, dilations },
    shapeOf(image),
    shapeOf(node.outputs[0]),
  );
  emitConv(lowering, node, { x: lowering.blocked(node, image), filters, window });
}

/** @throws CompileError for weights or a bias that the file does not store */
function storedWeights(node: Convolution): Float64Array {
  const [X, W, B] = node.inputs;
  if (X.dtype !== 'float32') throw uncovered(node, `expected float32, got ${X.dtype}`);
  if (!W.constant) throw uncovered(node, 'expected stored weights, got computed ones');
  if (B && !B.constant) throw uncovered(node, 'expected a stored bias, got a computed one');
  return numbersOf(W.constant);
}

function emitConv(lowering: Lowering, node: Convolution, given: Pick<Conv, 'x' | 'filters' | 'window'>): void {
  const [, , B] = node.inputs;
  const { filters } = given;
  const shape = shapeOf(node.outputs[0]);
  const isPerChannel = (value: Value): boolean =>
    broadcastStrides(shapeOf(value), shape).every((stride, axis) => axis === 1 || stride === 0);
  const { out, ...epilogue } = epilogueOf(lowering, node, isPerChannel, [1, filters.outputs, 1, 1]);
  const kernel = canTile(filters) ? conv : depthwise;
  const bias = B?.constant && new Stored(B.name, padded(numbersOf(B.constant)));
  lowering.add(kernel({ about: out.name, ...given, bias, epilogue, out: lowering.newBlocked(out) }));
}

function filtersOf({ inputs: [, W], attributes }: OpNode<'Conv'>, numbers: Float64Array): Filters {
  const [outputs, inputs, height, width] = sizesOf(W, 4);
  const weightAt: Filters['at'] = (output, input, ky, kx) =>
    present(numbers[((output * inputs + input) * height + ky) * width + kx]);
  return { outputs, inputs, groups: attributes.group, at: weightAt };
}

function flippedFiltersOf({ inputs: [, W], attributes }: OpNode<'ConvTranspose'>, numbers: Float64Array): Filters {
  const [inputs, perGroup, height, width] = sizesOf(W, 4);
  const { group: groups } = attributes;
  const ofGroup = inputs / groups;
  const weightAt: Filters['at'] = (output, input, ky, kx) => {
    const filter = (Math.floor(output / perGroup) * ofGroup + input) * perGroup + (output % perGroup);
    return present(numbers[(filter * height + height - 1 - ky) * width + width - 1 - kx]);
  };
  return { outputs: perGroup * groups, inputs: ofGroup, groups, at: weightAt };
}

/** Is true for one group, or groups whose channels fill blocks on both sides. */
const canTile = ({ groups, inputs, outputs }: Filters): boolean =>
  groups === 1 || (inputs % 4 === 0 && (outputs / groups) % 4 === 0);

export function lowerMaxPool(lowering: Lowering, node: OpNode<'MaxPool'>): void {
  const [, Indices] = node.outputs as readonly (Value | undefined)[];
  if (Indices && (lowering.isOutput(Indices) || lowering.readersOf(Indices).length > 0))
    throw uncovered(node, 'expected its first output alone to be read, got its Indices');
  lowerPool(lowering, node, 'max');
}

export const lowerAveragePool = (lowering: Lowering, node: OpNode<'AveragePool'>): void => {
  lowerPool(lowering, node, 'add');
};

function lowerPool(lowering: Lowering, node: OpNode<'MaxPool'> | OpNode<'AveragePool'>, fold: 'max' | 'add'): void {
  const [X] = node.inputs;
  const [Y] = node.outputs;
  if (X.dtype !== 'float32') throw uncovered(node, `expected float32, got ${X.dtype}`);
  const window = windowOf(node.attributes, shapeOf(X), shapeOf(Y));
  const x = lowering.blocked(node, X);
  lowering.add(pool({ about: Y.name, x, out: lowering.newBlocked(Y), window, fold }));
}
