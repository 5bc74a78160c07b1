/** Prepares nodes for the kernels: removes those that only rename a value, and computes those with stored inputs. */
import { type Node, type OpNode, sameShape, sizeOf, Value } from '../../graph/index.ts';
import { foldConstant } from '../constant.ts';

export interface Prepared {
  readonly nodes: readonly Node[];
  /** Returns the value among the prepared nodes that stands for a value of the graph. */
  readonly resolve: (value: Value) => Value;
}

/** @param all the nodes of a graph in order */
export function prepare(all: readonly Node[]): Prepared {
  const known = new Map<string, Value>();
  const resolve = (value: Value): Value => known.get(value.name) ?? value;
  const nodes: Node[] = [];
  for (const node of all) {
    const values: readonly (Value | undefined)[] = node.inputs;
    const here = { ...node, inputs: values.map((value) => value && resolve(value)) } as Node;
    const [output]: readonly Value[] = node.outputs;
    const [input]: readonly (Value | undefined)[] = here.inputs;
    if (!output) continue;
    if (input && isRenaming(here, input, output)) known.set(output.name, input);
    else {
      const constant = foldConstant(here, output.shape);
      if (constant) known.set(output.name, new Value(output.name, constant, constant));
      else nodes.push(...(here.op === 'Gemm' ? withPlainSum(here) : [here]));
    }
  }
  return { nodes, resolve };
}

const isRenaming = ({ op }: Node, input: Value, output: Value): boolean =>
  op === 'Identity' ||
  ((op === 'Reshape' || op === 'Expand' || op === 'Cast') &&
    sameShape(input.shape, output.shape) &&
    input.dtype === output.dtype);

/** Y = α A B + β C: divides a Gemm into a product and a sum, where C is more than a row that is added to all rows. */
function withPlainSum(node: OpNode<'Gemm'>): readonly Node[] {
  const [A, B, C] = node.inputs;
  const [Y] = node.outputs;
  const { beta = 1 } = node.attributes;
  if (!C || (beta === 1 && sizeOf(C.shape) === Y.shape[1] && C.shape.at(-1) === Y.shape[1])) return [node];
  const product = new Value(`${Y.name}/product`, Y);
  const scaled = new Value(`${Y.name}/scaled`, C);
  const factor = { dtype: 'float32', shape: [], data: Float32Array.of(beta) } as const;
  const by = new Value(`${Y.name}/beta`, factor, factor);
  return [
    { ...node, inputs: [A, B], outputs: [product] } as unknown as Node,
    { op: 'Mul', name: `${node.name}/scaled`, inputs: [C, by], outputs: [scaled], attributes: {} },
    { op: 'Add', name: `${node.name}/sum`, inputs: [product, scaled], outputs: [Y], attributes: {} },
  ];
}
