/** The interface of an op's reference implementation: arrays in, arrays out, straight from the ONNX specification. */
import type { Attributes, DType, Graph, Inputs, OpType, Outputs } from '../../../training/graph/index.ts';
import type { NdArray } from '../ndarray.ts';

export interface Context {
  /** The element type of the first output. */
  readonly dtype: DType;
  /** Evaluates a body that may read every value computed so far. */
  readonly run: (body: Graph, inputs: readonly NdArray[]) => readonly NdArray[];
}

type Arrays<Values extends readonly unknown[]> = { readonly [K in keyof Values]: NdArray };

export type Evaluator<O extends OpType> = (
  inputs: Arrays<Inputs<O>>,
  attributes: Attributes<O>,
  context: Context,
) => Arrays<Outputs<O>>;

export type EvaluatorTable<O extends OpType> = { readonly [K in O]: Evaluator<K> };
