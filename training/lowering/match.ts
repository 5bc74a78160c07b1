/** Recognizing what a rule has emitted. */
import type { GraphBuilder, OpNode, OpType, Value } from '../graph/index.ts';

/** What knows the nodes of a graph by what they give. */
export type Producers = Pick<GraphBuilder, 'producer'>;

/** The node that gives `value`, if it is of the given op. */
export function producer<O extends OpType>(g: Producers, value: Value | undefined, op: O): OpNode<O> | undefined {
  const node = value && g.producer(value);
  return node?.op === op ? (node as unknown as OpNode<O>) : undefined;
}

/** Whether a Transpose orders the axes so. */
export const permutes = ({ attributes }: OpNode<'Transpose'>, perm: readonly number[]): boolean =>
  attributes.perm.join() === perm.join();

/** x, where `value` is x with its axes in the given order. */
export function untransposed(g: Producers, value: Value | undefined, perm: readonly number[]): Value | undefined {
  const node = producer(g, value, 'Transpose');
  return node && permutes(node, perm) ? node.inputs[0] : undefined;
}

/** The only element of a scalar initializer. */
export function scalarOf(value: Value | undefined): number | undefined {
  return value?.constant?.data.length === 1 ? Number(value.constant.data[0]) : undefined;
}

/** The shape in numbers; NaN where a size is known at run time only. */
export const sizes = ({ shape }: Value): readonly number[] => shape.map(Number);
