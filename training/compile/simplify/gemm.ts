/** In most models Gemm is a product with stored weights. All other forms are expressed by other nodes. */
import { type OpNode, sizeIfKnown, Value } from '../../graph/index.ts';
import { float32 } from '../constant.ts';
import type { Append } from './append.ts';

type Gemm = OpNode<'Gemm'>;

/** Is true where B and C are stored, C is a number for each column or one for all, and A is not transposed. */
export function isStoredProduct({ inputs: [, B, C], outputs: [Y], attributes: { transA = 0 } }: Gemm): boolean {
  if (!B.constant || transA === 1) return false;
  if (!C) return true;
  const columns = Y.shape.at(-1);
  const isAligned = C.shape.at(-1) === columns || sizeIsOne(C);
  return C.constant !== undefined && isAligned && sizeIfKnown(C.shape.slice(0, -1)) === 1;
}

const sizeIsOne = ({ shape }: Value): boolean => sizeIfKnown(shape) === 1;

/** Emits alpha · A' · B' + beta · C, in as many nodes as needed. */
export function spreadGemm(node: Gemm, append: Append): Value {
  const { name } = node;
  const [A, B, C] = node.inputs;
  const { alpha = 1, beta = 1, transA = 0, transB = 0 } = node.attributes;
  const transposed = (X: Value, what: string): Value => append('Transpose', [X], { perm: [1, 0] }, `${name}/${what}`);
  const scaled = (X: Value, factor: number, what: string): Value =>
    factor === 1 ? X : append('Mul', [X, scalar(`${name}/${what}`, factor)], {}, `${name}/${what}-times`);
  const product = append(
    'MatMul',
    [transA ? transposed(A, 'A') : A, transB ? transposed(B, 'B') : B],
    {},
    C || alpha !== 1 ? `${name}/product` : node.outputs[0].name,
  );
  const sum = scaled(product, alpha, 'alpha');
  return C ? append('Add', [sum, scaled(C, beta, 'beta')], {}, node.outputs[0].name) : sum;
}

function scalar(name: string, number: number): Value {
  const constant = float32([], [number]);
  return new Value(name, constant, constant);
}
