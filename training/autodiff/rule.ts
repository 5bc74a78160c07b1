/**
 * Defines gradient rules. A rule sees a forward node and the cotangents of its outputs, and emits the cotangents of its
 * inputs into the same graph: the vector–Jacobian product (VJP). It reads shapes and attributes, never data.
 */
import {
  type GraphBuilder,
  GraphError,
  type Inputs,
  type OpNode,
  type OpType,
  type Outputs,
  type Value,
} from '../graph/index.ts';

/** A cotangent for each value; null where no gradient flows. */
export type Grads<Values extends readonly unknown[]> = { readonly [K in keyof Values]: Value | null };

/**
 * The cotangents that a rule receives. A rule is only called when a cotangent arrives, so that of a single output is
 * never null.
 */
type Arriving<Values extends readonly unknown[]> = Values extends readonly [unknown] ? readonly [Value] : Grads<Values>;

export type VjpRule<O extends OpType> = (
  g: GraphBuilder,
  node: OpNode<O>,
  dOutputs: Arriving<Outputs<O>>,
) => Grads<Inputs<O>>;

export type RuleTable<O extends OpType> = { readonly [K in O]: VjpRule<K> };

/** Makes the row of an op without a gradient, which throws. */
export function notDifferentiable(why: string): () => never {
  return () => {
    throw new GraphError(why);
  };
}
