/** Lowers products with matrices: stored ones are packed, computed ones are read as they are. */
import { type OpNode, sizesOf, type Value } from '../../graph/index.ts';
import { elementCount, present } from '../../arrays/index.ts';
import { Stored } from '../buffer.ts';
import { broadcast, broadcastStrides, numbersOf } from '../constant.ts';
import { dense, type Epilogue, type Matrix } from '../kernels/dense.ts';
import { integerDense, integerMatrix } from '../kernels/integer-dense.ts';
import { fewRowsProduct } from '../kernels/few-rows-product.ts';
import { product } from '../kernels/product.ts';
import { type Lowering, shapeOf, sizeOf } from './lowering.ts';
import { regionFrom } from './region.ts';

type Product = OpNode<'Gemm'> | OpNode<'MatMul'>;

/** Lowers a Gemm with stored B and C and plain A, as `simplify` leaves it, or with computed operands. */
export function lowerGemm(lowering: Lowering, node: OpNode<'Gemm'>): void {
  const [A, B, C] = node.inputs;
  const { alpha = 1, beta = 1, transA = 0, transB = 0 } = node.attributes;
  if (!B.constant || (C && !C.constant) || transA) {
    lowerComputedGemm(lowering, node);
    return;
  }
  const [first, second] = sizesOf(B, 2);
  const numbers = numbersOf(B.constant);
  const [rows, columns] = transB ? [second, first] : [first, second];
  const at = (k: number, n: number): number => alpha * present(numbers[transB ? n * rows + k : k * columns + n]);
  const bias = C && broadcast(C.constant ?? missing(C), [columns]).map((x) => beta * x);
  emitDense(lowering, node, A, { rows, columns, at }, bias && new Stored(C.name, padded(bias)));
}

function lowerComputedGemm(lowering: Lowering, node: OpNode<'Gemm'>): void {
  const [A, B, C] = node.inputs;
  const [Y] = node.outputs;
  const { alpha = 1, beta = 1, transA = 0, transB = 0 } = node.attributes;
  const [m, n] = sizesOf(Y, 2);
  if (C && (beta !== 1 || sizeOf(C) !== n)) throw new Error(`internal: ${Y.name}: expected C to be a row of ${n}`);
  lowering.add(
    ...product({
      about: Y.name,
      a: lowering.plain(node, A),
      b: lowering.plain(node, B),
      bias: C && lowering.plain(node, C),
      ...{ m, n, k: sizesOf(A, 2)[transA ? 0 : 1] },
      ...{ transA: transA === 1, transB: transB === 1, alpha },
      ...{ stack: [], aStrides: [], bStrides: [] },
      out: lowering.newPlain(Y),
    }),
  );
}

/** With fewer rows, a product is computed row by row. */
const minRows = 4;

export function lowerMatMul(lowering: Lowering, node: OpNode<'MatMul'>): void {
  const [A, B] = node.inputs;
  if (B.constant && B.shape.length === 2) {
    const [rows, columns] = sizesOf(B, 2);
    const numbers = numbersOf(B.constant);
    emitDense(lowering, node, A, { rows, columns, at: (k, n) => present(numbers[k * columns + n]) }, undefined);
    return;
  }
  const [Y] = node.outputs;
  const stack = shapeOf(Y).slice(0, -2);
  const [a, b] = [shapeOf(A), shapeOf(B)];
  const m = present(a.at(-2));
  const stacks = {
    about: Y.name,
    a: lowering.plain(node, A),
    b: lowering.plain(node, B),
    ...{ m, k: present(a.at(-1)), n: present(b.at(-1)) },
    stack,
    aStrides: broadcastStrides(a.slice(0, -2), stack),
    bStrides: broadcastStrides(b.slice(0, -2), stack),
    out: lowering.newPlain(Y),
  };
  const untransposed = { transA: false, transB: false, alpha: 1 };
  lowering.add(...(m < minRows ? [fewRowsProduct(stacks)] : product({ ...stacks, ...untransposed })));
}

function emitDense(lowering: Lowering, node: Product, A: Value, matrix: Matrix, bias: Stored | undefined): void {
  const [Y] = node.outputs;
  const shape = shapeOf(Y);
  const isPerColumn = (value: Value): boolean =>
    broadcastStrides(shapeOf(value), shape).every((stride, axis) => axis === shape.length - 1 || stride === 0);
  const x = lowering.plain(node, A);
  const { out, ...epilogue } = epilogueOf(lowering, node, isPerColumn, [matrix.columns]);
  const rows = elementCount(shape) / matrix.columns;
  const layer = { about: out.name, rows, x, bias, epilogue, out: lowering.newPlain(out) };
  const integers = lowering.weights === 'int8' ? integerMatrix(matrix) : undefined;
  lowering.add(integers ? integerDense({ ...layer, matrix: integers }) : dense({ ...layer, matrix }));
}

/**
 * Returns the elementwise nodes that follow a product and are computed while its results are in registers.
 *
 * @param isAligned tells whether a stored value has one number for each column or channel
 * @param size the shape of such a value
 */
export function epilogueOf(
  lowering: Lowering,
  node: OpNode<'Gemm'> | OpNode<'MatMul'> | OpNode<'Conv'> | OpNode<'ConvTranspose'>,
  isAligned: (value: Value) => boolean,
  size: readonly number[],
): Epilogue & { readonly out: Value } {
  const [Y] = node.outputs;
  const takes = (value: Value): boolean =>
    value.constant !== undefined && value.dtype === 'float32' && (sizeOf(value) === 1 || isAligned(value));
  const region = regionFrom(lowering, [Y], [], takes);
  const [result, ...more] = region.results;
  if (!result || more.length > 0) throw new Error(`internal: ${Y.name} has ${region.results.length} results`);
  lowering.finish(region.nodes);
  const [, ...others] = region.operands;
  const operands = others.map(
    ({ name, constant }) => new Stored(name, padded(broadcast(constant ?? missing(Y), size))),
  );
  return { tree: result.tree, operands, out: result.value };
}

/** Pads numbers to whole vectors. */
export const padded = (numbers: ArrayLike<number>): Float32Array => {
  const whole = new Float32Array(4 * Math.ceil(numbers.length / 4));
  whole.set(Array.from(numbers));
  return whole;
};

function missing({ name }: Value): never {
  throw new Error(`internal: expected ${name} to be stored`);
}
