/** Recognizing what a rule has emitted. */
import type { GraphBuilder, Node, OpNode, OpType, Value } from '../graph/index.ts';

/** The node that gives `value`, if it is of the given op. */
export function producer<O extends OpType>(g: GraphBuilder, value: Value | undefined, op: O): OpNode<O> | undefined {
  const node = value && g.producer(value);
  return node?.op === op ? (node as unknown as OpNode<O>) : undefined;
}

/** The only element of a scalar initializer. */
export function scalarOf(value: Value | undefined): number | undefined {
  return value?.constant?.data.length === 1 ? Number(value.constant.data[0]) : undefined;
}

export function isTranspose(
  node: Node | OpNode<'Transpose'> | undefined,
  perm: readonly number[],
): node is OpNode<'Transpose'> {
  return node?.op === 'Transpose' && node.attributes.perm.join() === perm.join();
}

export const sizes = ({ shape }: Value): readonly number[] => shape.map(Number);
