/** Lists the cases of ops that move elements and compute nothing. */
import type { OpType } from '../../../training/graph/index.ts';
import { type Case, type CaseTable, literal, opCase, uniform } from './case.ts';

function expand(about: string, from: readonly number[], to: readonly number[]): Case {
  return opCase(about, [uniform(...from)], (g, x) => g.Expand(x, g.ints(to)));
}

function gather(about: string, axis: number, indices: readonly number[], shape: readonly number[]): Case {
  return opCase(
    about,
    [uniform(3, 4), literal('int64', shape, indices)],
    (g, data, at) => g.Gather(data, at, { axis }),
    'Gather reads the data set',
  );
}

function pad(about: string, pads: readonly number[]): Case {
  return opCase(about, [uniform(3, 4)], (g, x) => g.Pad(x, g.ints(pads), { mode: 'constant' }));
}

function reshape(about: string, shape: readonly number[]): Case {
  return opCase(about, [uniform(2, 3, 4)], (g, x) => g.Reshape(x, g.ints(shape)));
}

function slice(
  about: string,
  [starts, ends, axes, steps]: readonly [readonly number[], readonly number[], readonly number[], readonly number[]],
  forwardOnly?: string,
): Case {
  return opCase(
    about,
    [uniform(4, 5)],
    (g, x) => g.Slice(x, g.ints(starts), g.ints(ends), g.ints(axes), g.ints(steps)),
    forwardOnly,
  );
}

const transpose = (perm: readonly number[], shape: readonly number[]): Case =>
  opCase(`perm ${perm.join(', ')}`, [uniform(...shape)], (g, x) => g.Transpose(x, { perm }));

export const movement = {
  Concat: [
    opCase('axis 0', [uniform(1, 3), uniform(2, 3)], (g, a, b) => g.Concat(a, b, { axis: 0 })),
    opCase('the last axis', [uniform(2, 1), uniform(2, 3)], (g, a, b) => g.Concat(a, b, { axis: -1 })),
    opCase('three inputs', [uniform(2, 1, 2), uniform(2, 2, 2), uniform(2, 3, 2)], (g, a, b, c) =>
      g.Concat(a, b, c, { axis: 1 }),
    ),
    opCase('one input', [uniform(2, 3)], (g, a) => g.Concat(a, { axis: 0 })),
    opCase('one value twice', [uniform(2, 3)], (g, a) => g.Concat(a, a, { axis: 1 })),
  ],
  Expand: [
    expand('an axis of one', [2, 1], [2, 3]),
    expand('a new axis', [3], [2, 3]),
    expand('several axes', [3, 1], [2, 3, 4]),
    expand('a scalar', [], [2, 2]),
    expand('ones that keep the input', [2, 3], [1, 1]),
  ],
  Flatten: [0, 1, 2, 3, -1].map((axis) => opCase(`axis ${axis}`, [uniform(2, 3, 4)], (g, x) => g.Flatten(x, { axis }))),
  Gather: [
    gather('rows', 0, [2, 0, 2], [3]),
    gather('columns, a matrix of indices', 1, [0, 3, 1, 1], [2, 2]),
    gather('indices from the end', -1, [-1, -4], [2]),
    gather('a scalar index', 0, [1], []),
    opCase(
      'uint8 data, int32 indices',
      [literal('uint8', [2, 2], [1, 2, 3, 255]), literal('int32', [2], [1, 0])],
      (g, data, at) => g.Gather(data, at, { axis: 0 }),
      'integers have no gradient',
    ),
  ],
  Pad: [pad('every side', [1, 2, 3, 1]), pad('one side', [0, 0, 0, 2]), pad('nothing', [0, 0, 0, 0])],
  Reshape: [
    reshape('to a matrix', [6, 4]),
    reshape('the rest by −1', [2, -1]),
    reshape('a kept axis by 0', [0, 12]),
    reshape('0 and −1', [0, 0, 2, -1]),
    reshape('to a list', [-1]),
  ],
  ScatterElements: [
    opCase(
      'updates that meet',
      [uniform(4), literal('int64', [3], [1, 3, 1]), uniform(3)],
      (g, data, at, updates) => g.ScatterElements(data, at, updates, { axis: 0, reduction: 'add' }),
      'ScatterElements is emitted in gradients only',
    ),
    opCase(
      'along columns',
      [uniform(2, 3), literal('int64', [2, 2], [0, 2, -1, 2]), uniform(2, 2)],
      (g, data, at, updates) => g.ScatterElements(data, at, updates, { axis: 1, reduction: 'add' }),
      'ScatterElements is emitted in gradients only',
    ),
  ],
  Slice: [
    slice('one axis', [[1], [3], [0], [1]]),
    slice('two axes in any order', [
      [2, 0],
      [5, 3],
      [1, 0],
      [1, 1],
    ]),
    slice('bounds from the end', [[-3], [-1], [1], [1]]),
    slice('bounds beyond the axis', [[-100], [100], [0], [1]]),
    slice('a start beyond the front', [[-100], [2], [0], [1]]),
    slice(
      'steps',
      [
        [0, 1],
        [4, 5],
        [0, 1],
        [2, 3],
      ],
      'gradients are for steps of 1',
    ),
  ],
  Transpose: [
    transpose([1, 0], [2, 3]),
    transpose([2, 0, 1], [2, 3, 4]),
    transpose([0, 3, 1, 2], [2, 3, 2, 2]),
    transpose([0], [3]),
  ],
} satisfies Partial<CaseTable<OpType>>;
