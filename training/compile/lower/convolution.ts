/** Convolutions and pools of images by blocks of channels. */
import type { OpNode, Value } from '../../graph/index.ts';
import { Stored } from '../buffer.ts';
import { broadcastStrides, numbersOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import { conv, type Filters } from '../kernels/conv.ts';
import { depthwise } from '../kernels/depthwise.ts';
import { pool } from '../kernels/pool.ts';
import { windowOf } from '../kernels/window.ts';
import { epilogueOf, padded } from './linalg.ts';
import { type Lowering, shapeOf } from './lowering.ts';

export function lowerConv(lowering: Lowering, node: OpNode<'Conv'>): void {
  const [X, W, B] = node.inputs;
  const [Y] = node.outputs;
  if (X.dtype !== 'float32') throw uncovered(node, `expected float32, got ${X.dtype}`);
  if (!W.constant) throw uncovered(node, 'expected stored weights, got computed ones');
  if (B && !B.constant) throw uncovered(node, 'expected a stored bias, got a computed one');
  const filters = filtersOf(node, numbersOf(W.constant));
  const shape = shapeOf(Y);
  const isPerChannel = (value: Value): boolean =>
    broadcastStrides(shapeOf(value), shape).every((stride, axis) => axis === 1 || stride === 0);
  const x = lowering.blocked(node, X);
  const { out, ...epilogue } = epilogueOf(lowering, node, isPerChannel, [1, filters.outputs, 1, 1]);
  const kernel = canTile(filters) ? conv : depthwise;
  const described = {
    about: out.name,
    x,
    window: windowOf(node.attributes, shapeOf(X), shape),
    filters,
    bias: B?.constant && new Stored(B.name, padded(numbersOf(B.constant))),
    epilogue,
  };
  lowering.add(kernel({ ...described, out: lowering.newBlocked(out) }));
}

function filtersOf({ inputs: [, W], attributes }: OpNode<'Conv'>, numbers: Float64Array): Filters {
  const [outputs = 1, inputs = 1, height = 1, width = 1] = shapeOf(W);
  const at: Filters['at'] = (output, input, ky, kx) =>
    numbers[((output * inputs + input) * height + ky) * width + kx] ?? NaN;
  return { outputs, inputs, groups: attributes.group, at };
}

/** One group, or groups whose channels fill blocks on both sides. */
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
