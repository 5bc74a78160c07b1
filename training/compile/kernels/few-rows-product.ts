/**
 * A product of fewer than four rows by a matrix that the program computes too, or of stacks of them:
 *
 *     for each matrix of the stack
 *       for each row m
 *         for each group of up to 32 columns       eight sums of four columns stay in registers
 *           for each k
 *             sum[j] += A[m, k] · B[k, j]
 *
 * Columns beyond the last one are computed from arbitrary numbers, and overwritten by the next row.
 */
import { elementCount } from '../../arrays/index.ts';
import { vectorBytes, vectorsFor } from '../buffer.ts';
import { advance, call, get, i32, load, loadSplat, localsOf, plus, range, repeat, set, store, zero } from '../wat.ts';
import type { Emit, Kernel } from './kernel.ts';
import { counters, loops } from './nest.ts';
import type { Product } from './product.ts';

type FewRowsProduct = Omit<Product, 'bias' | 'transA' | 'transB' | 'alpha'>;

const sums = 8;

export function fewRowsProduct({ about, a, b, out, m, k, n, stack, aStrides, bStrides }: FewRowsProduct): Kernel {
  return {
    about,
    reads: [a, b],
    writes: [out],
    emit: (context) => {
      const { addressOf, define } = context;
      const counts = [...stack, m];
      const outStrides = counts.map((_, axis) => 4 * n * elementCount(counts.slice(axis + 1)));
      const nest = {
        counts,
        pointers: [
          { local: 'a', strides: [...aStrides.map((stride) => 4 * m * k * stride), 4 * k] },
          { local: 'b', strides: [...bStrides.map((stride) => 4 * k * n * stride), 0] },
          { local: 'out', strides: outStrides },
        ],
      };
      const vectors = vectorsFor(n);
      const groups = range(Math.ceil(vectors / sums)).map((group) => {
        const width = Math.min(sums, vectors - group * sums);
        const offset = group * sums * vectorBytes;
        const name = define('product', productCode(k, n, width, context));
        return call(name, get('a'), plus(get('b'), offset), plus(get('out'), offset));
      });
      return [
        call(
          define('matmul', {
            about: [about],
            params: [],
            locals: localsOf('i32', 'a', 'b', 'out', ...counters(nest)),
            body: [
              ...[set('a', i32(addressOf(a))), set('b', i32(addressOf(b))), set('out', i32(addressOf(out)))],
              ...loops(nest, groups),
            ],
          }),
        ),
      ];
    },
  };
}

function productCode(k: number, n: number, width: number, { madd }: Emit) {
  const sum = (j: number): string => `sum${j}`;
  return {
    about: [`a row of ${k} times ${width} vectors of columns`],
    params: ['a', 'b', 'out'],
    locals: { ...localsOf('i32', 'left'), ...localsOf('v128', 'ak', ...range(width).map(sum)) },
    body: [
      ...range(width).map((j) => set(sum(j), zero)),
      ...repeat('left', k, [
        set('ak', loadSplat(get('a'))),
        ...range(width).map((j) => set(sum(j), madd(get(sum(j)), get('ak'), load(get('b'), j * vectorBytes)))),
        advance('a', 4),
        advance('b', 4 * n),
      ]),
      ...range(width).map((j) => store(get('out'), get(sum(j)), j * vectorBytes)),
    ],
  };
}
