/** Expresses normalizations over other axes by means and squares. */
import { elementCount } from '../../arrays/index.ts';
import type { Shape } from '../types.ts';
import { axisFromFront, type Foreign, range, type Rule } from './foreign.ts';

const float32s = (node: Foreign): boolean => node.dtypeOf(node.x) === 'float32';

/** Emits (x − μ) / √(σ² + ε) over `axes`, in the shape of x. */
function normalized(node: Foreign, x: string, axes: readonly number[], epsilon: number): string {
  const along = node.ints(axes);
  const mean = (of: string): string => node.add('ReduceMean', [of, along]);
  const centered = node.add('Sub', [x, mean(x)]);
  const variance = mean(node.add('Mul', [centered, centered]));
  const deviation = node.add('Sqrt', [node.add('Add', [variance, node.scalar(epsilon)])]);
  return node.add('Div', [centered, deviation]);
}

/** Stores a parameter for each channel in a shape that broadcasts to `[N, C, …]`. */
function perChannel(node: Foreign, name: string, shape: Shape): string | undefined {
  const constant = node.look(name)?.constant;
  if (constant?.shape.length !== 1 || constant.shape[0] !== shape[1]) return undefined;
  return node.store('parameter', { ...constant, shape: [...constant.shape, ...shape.slice(2).map(() => 1)] });
}

function scaled(node: Foreign, y: string, shape: Shape): boolean {
  const [scale, bias] = [1, 2].map((i) => perChannel(node, node.input(i), shape));
  if (scale === undefined || bias === undefined) return false;
  return node.end('Add', [node.add('Mul', [y, scale]), bias]);
}

/** Normalizes each channel of each sample. */
function instanceNorm(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  if (!shape || shape.length < 3 || !float32s(node) || !node.hasOnly('epsilon')) return false;
  const y = normalized(node, node.x, range(shape.length).slice(2), node.floatOf('epsilon', 1e-5));
  return scaled(node, y, shape);
}

/**
 * Normalizes groups of channels, with parameters for each channel. (Opset 18 has them for each group, which is not
 * adapted.)
 */
function groupNorm(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  const [N, C, ...spatial] = shape ?? [];
  const groups = node.intOf('num_groups', 0);
  if (!shape || N === undefined || typeof C !== 'number' || groups < 1 || C % groups !== 0) return false;
  if (!float32s(node) || !node.hasOnly('epsilon', 'num_groups', 'stash_type') || node.intOf('stash_type', 1) !== 1)
    return false;
  const apart = node.reshaped(node.x, [N, groups, C / groups, ...spatial]);
  const axes = range(shape.length + 1).slice(2);
  const y = node.reshaped(normalized(node, apart, axes, node.floatOf('epsilon', 1e-5)), shape);
  return scaled(node, y, shape);
}

/**
 * Adds zeros as the bias where there is none. Where the statistics are outputs too, the op is replaced by its parts.
 */
function layerNorm(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  if (!shape || !float32s(node) || !node.hasOnly('axis', 'epsilon', 'stash_type') || node.intOf('stash_type', 1) !== 1)
    return false;
  const axis = axisFromFront(node.intOf('axis', -1), shape.length);
  const normalShape = shape.slice(axis);
  if (!normalShape.every((dim) => typeof dim === 'number')) return false;
  const [, scale = '', bias = ''] = node.inputs;
  const isWhole = (name: string): boolean => node.shapeOf(name)?.join() === normalShape.join();
  const attributes = (node.proto.attribute ?? []).filter(({ name }) => name !== 'stash_type');
  const zeros = (): string => {
    const size = elementCount(normalShape);
    return node.floats(new Array<number>(size).fill(0), normalShape);
  };
  if (node.proto.output?.slice(1).some((name) => name !== ''))
    return withStatistics(node, range(shape.length).slice(axis));
  if (!isWhole(scale) || !(bias === '' || isWhole(bias))) return false;
  return node.again([node.x, scale, bias === '' ? zeros() : bias], attributes);
}

/** Emits Y, and the mean and 1 / √(σ² + ε) that it is made with. */
function withStatistics(node: Foreign, axes: readonly number[]): true {
  const [, meanName = '', inverseName = ''] = node.proto.output ?? [];
  const along = node.ints(axes);
  const outputs = (name: string): readonly string[] | undefined => (name === '' ? undefined : [name]);
  const mean = node.add('ReduceMean', [node.x, along], [], outputs(meanName));
  const centered = node.add('Sub', [node.x, mean]);
  const variance = node.add('ReduceMean', [node.add('Mul', [centered, centered]), along]);
  const deviation = node.add('Sqrt', [node.add('Add', [variance, node.scalar(node.floatOf('epsilon', 1e-5))])]);
  const inverse = node.add('Div', [node.scalar(1), deviation], [], outputs(inverseName));
  const standard = node.add('Mul', [centered, inverse]);
  if (node.input(2) === '') return node.end('Mul', [standard, node.input(1)]);
  return node.end('Add', [node.add('Mul', [standard, node.input(1)]), node.input(2)]);
}

/** x / √(mean of x² + ε) · scale */
function rmsNorm(node: Foreign): boolean {
  const shape = node.shapeOf(node.x);
  if (!shape || !float32s(node) || !node.hasOnly('axis', 'epsilon', 'stash_type') || node.intOf('stash_type', 1) !== 1)
    return false;
  const axis = axisFromFront(node.intOf('axis', -1), shape.length);
  const squares = node.add('Mul', [node.x, node.x]);
  const mean = node.add('ReduceMean', [squares, node.ints(range(shape.length).slice(axis))]);
  const root = node.add('Sqrt', [node.add('Add', [mean, node.scalar(node.floatOf('epsilon', 1e-5))])]);
  return node.end('Mul', [node.add('Div', [node.x, root]), node.input(1)]);
}

export const normalization: Readonly<Record<string, Rule | undefined>> = {
  InstanceNormalization: instanceNorm,
  GroupNormalization: groupNorm,
  LayerNormalization: layerNorm,
  RMSNormalization: rmsNorm,
};
