/**
 * Batch Norm with fixed statistics is one factor and one summand for each channel,
 *
 *     y = (x − μ) · s + β          s = γ / √(σ² + ε)
 *
 * which a preceding product absorbs: (W x + b) becomes (s W) x + (s (b − μ) + β), computed in float64.
 */
import { elementCount, present } from '../../arrays/index.ts';
import { type Node, type OpNode, Value } from '../../graph/index.ts';
import { float32, type Numbers, numbersOf } from '../constant.ts';
import { uncovered } from '../error.ts';
import type { Append } from './append.ts';

type BatchNorm = OpNode<'BatchNormalization'>;

interface Affine {
  readonly mean: Numbers;
  readonly factor: Numbers;
  readonly beta: Numbers;
}

/** @throws CompileError for statistics that the file does not store */
function affineOf(node: BatchNorm): Affine {
  if (node.attributes.training_mode === 1)
    throw uncovered(node, 'expected training_mode 0, got 1: its statistics are those of the mini-batch');
  const [, ...parameters] = node.inputs;
  const [gamma, beta, mean, variance] = parameters.map((value) => value.constant && numbersOf(value.constant));
  if (!gamma || !beta || !mean || !variance) throw uncovered(node, 'expected stored parameters, got computed ones');
  const factor = gamma.map((scale, i) => scale / Math.sqrt(present(variance[i]) + node.attributes.epsilon));
  return { mean, factor, beta };
}

/** @returns undefined where the preceding node is not a product with stored weights */
export function foldInto(product: Node, node: BatchNorm): Node | undefined {
  if (product.op !== 'Conv' && product.op !== 'Gemm') return undefined;
  const [input, W, B] = product.inputs;
  if (!W.constant || (B && !B.constant)) return undefined;
  const isPerChannel = !B || (B.shape.length === 1 && B.shape[0] === node.inputs[1].shape[0]);
  if (!isPerChannel || (product.op === 'Gemm' && !isUnscaled(product))) return undefined;
  const { mean, factor, beta } = affineOf(node);
  const [X] = node.inputs;
  const weights = numbersOf(W.constant);
  const channels = factor.length;
  // [O, ..] for Conv and transposed matrices, otherwise [K, O].
  const isFirst = product.op === 'Conv' || product.attributes.transB === 1;
  const perChannel = weights.length / channels;
  const channelOf = (i: number): number => (isFirst ? Math.floor(i / perChannel) : i % channels);
  const scaled = weights.map((weight, i) => weight * present(factor[channelOf(i)]));
  const bias = B?.constant ? numbersOf(B.constant) : new Float64Array(channels);
  const moved = bias.map((b, c) => present(factor[c]) * (b - present(mean[c])) + present(beta[c]));
  const inputs = [
    input,
    stored(`${W.name}/folded`, W.constant.shape, scaled),
    stored(`${W.name}/bias`, [channels], moved),
  ];
  return { ...product, inputs, outputs: [new Value(node.outputs[0].name, X)] } as Node;
}

const isUnscaled = ({ attributes: { alpha = 1, beta = 1, transA = 0 } }: OpNode<'Gemm'>): boolean =>
  alpha === 1 && beta === 1 && transA === 0;

/** Expresses Batch Norm by three nodes, where no product precedes it. */
export function spread(node: BatchNorm, append: Append): Value {
  const [X] = node.inputs;
  const { mean, factor, beta } = affineOf(node);
  const shape = [mean.length, ...X.shape.slice(2).map(() => 1)];
  const constant = (what: string, numbers: Numbers): Value => stored(`${node.name}/${what}`, shape, numbers);
  const centered = append('Sub', [X, constant('mean', mean)], {}, `${node.name}/centered`);
  const scaled = append('Mul', [centered, constant('factor', factor)], {}, `${node.name}/scaled`);
  return append('Add', [scaled, constant('beta', beta)], {}, node.outputs[0].name);
}

function stored(name: string, shape: readonly number[], numbers: Numbers): Value {
  if (elementCount(shape) !== numbers.length) throw new Error(`internal: ${name} has ${numbers.length} elements`);
  const constant = float32(shape, numbers);
  return new Value(name, constant, constant);
}
