/** Forms that other exporters give to ops answer as ONNX says, in the shape that it says. */
import { describe, expect, it } from 'vitest';
import { decodeAnyModel } from '../../../training/graph/index.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { range } from '../../reference/ndarray.ts';
import {
  type File,
  fileOf,
  float,
  floats,
  type Form,
  int,
  ints,
  type Nested,
  nodeOf,
  pad,
  slice,
  text,
  whole,
} from './foreign-files.ts';

const nested = ([size, ...rest]: readonly number[], data: ArrayLike<number>, at = 0): Nested => {
  if (size === undefined) return data[at] ?? NaN;
  const part = rest.reduce((count, one) => count * one, 1);
  return range(size).map((i) => nested(rest, data, at + i * part));
};

/** Returns the answer to the numbers 1, 2, … in the shape of x, where N is 1. */
function answerOf(file: File): Nested {
  const { graph } = decodeAnyModel(fileOf(file));
  const shape = (file.shape ?? []).map((size) => (typeof size === 'string' ? 1 : size));
  const count = shape.reduce((product, size) => product * size, 1);
  const { y } = evaluate(graph, { x: { shape, data: Float64Array.from(range(count), (i) => i + 1) } });
  return y ? nested(y.shape, y.data) : NaN;
}

const closeTo = (value: Nested): unknown => (typeof value === 'number' ? expect.closeTo(value, 4) : value.map(closeTo));

const forms: readonly Form[] = [
  ['Squeeze of all axes of size 1', ['N', 1, 2, 1], 'Squeeze', {}, [[1, 2]]],
  ['Squeeze of the last axis', [1, 2, 1], 'Squeeze', { given: [whole('axes', [-1])] }, [[1, 2]]],
  ['Unsqueeze at both ends', [2], 'Unsqueeze', { given: [whole('axes', [0, -1])] }, [[[1], [2]]]],
  [
    'Split in parts of which the last is smaller',
    [2, 5],
    'Split',
    { attributes: [int('axis', 1)], output: ['a', 'b', 'y'] },
    [[5], [10]],
  ],
  ['Split from the front', [4, 1], 'Split', { output: ['y', 'b'] }, [[1], [2]]],
  [
    'Split in given parts, one of which nothing reads',
    [5],
    'Split',
    { given: [whole('parts', [1, 4])], output: ['', 'y'] },
    [2, 3, 4, 5],
  ],
  [
    'Slice of the first axes',
    [3, 2],
    'Slice',
    { given: [whole('starts', [1]), whole('ends', [3])] },
    [
      [3, 4],
      [5, 6],
    ],
  ],
  [
    'Slice from the end by two',
    [2, 5],
    'Slice',
    slice([-1], [-6], [-1], [-2]),
    [
      [5, 3, 1],
      [10, 8, 6],
    ],
  ],
  [
    'Slice in both directions',
    [4, 3],
    'Slice',
    slice([9, 0], [0, 2], [0, 1], [-1, 1]),
    [
      [10, 11],
      [7, 8],
      [4, 5],
    ],
  ],
  [
    'Slice in both directions, to behind the end',
    [2, 3],
    'Slice',
    slice([9, 1], [-9, 9], [0, 1], [-1, 1]),
    [
      [5, 6],
      [2, 3],
    ],
  ],
  ['Slice to before the start', [3], 'Slice', slice([1], [-9], [0], [-1]), [2, 1]],
  ['Pad with the edge', [1, 3], 'Pad', pad('edge', [0, 1, 0, 2]), [[1, 1, 2, 3, 3, 3]]],
  ['Pad around', [1, 3], 'Pad', pad('wrap', [0, 1, 0, 2]), [[3, 1, 2, 3, 1, 2]]],
  ['Pad with the reflection', [1, 3], 'Pad', pad('reflect', [0, 1, 0, 2]), [[2, 1, 2, 3, 2, 1]]],
  [
    'Pad one axis before and the other after',
    [2, 2],
    'Pad',
    pad('edge', [1, 0, 0, 1]),
    [
      [1, 2, 2],
      [1, 2, 2],
      [3, 4, 4],
    ],
  ],
  ['Pad of nothing', ['N', 2], 'Pad', pad('edge', [0, 0, 0, 0]), [[1, 2]]],
  ['Pad without a number', [2], 'Pad', { given: [whole('pads', [1, 1])] }, [0, 1, 2, 0]],
  [
    'Transpose without an order',
    [2, 3],
    'Transpose',
    {},
    [
      [1, 4],
      [2, 5],
      [3, 6],
    ],
  ],
  ['Tile of one time', ['N', 2], 'Tile', { given: [whole('times', [1, 1])] }, [[1, 2]]],
  [
    'Tile along the last axis',
    [2, 1],
    'Tile',
    { given: [whole('times', [1, 3])] },
    [
      [1, 1, 1],
      [2, 2, 2],
    ],
  ],
  ['Pow of 1', [2], 'Pow', { given: [floats('p', [1])] }, [1, 2]],
  ['Pow of 3', [2], 'Pow', { given: [floats('p', [3])] }, [1, 8]],
  ['Pow of a half', [2], 'Pow', { given: [floats('p', [0.5])] }, [1, Math.SQRT2]],
  ['Pow of minus a half', [2], 'Pow', { given: [floats('p', [-0.5])] }, [1, Math.SQRT1_2]],
  ['Pow of minus 1', [2], 'Pow', { given: [floats('p', [-1])] }, [1, 0.5]],
  ['Clip between both', [3], 'Clip', { given: [floats('min', [1.5]), floats('max', [2.5])] }, [1.5, 2, 2.5]],
  ['Clip without a minimum', [3], 'Clip', { given: [floats('', []), floats('max', [2])] }, [1, 2, 2]],
  ['Sum of one', [2], 'Sum', {}, [1, 2]],
  ['Mean of three', [2], 'Mean', { given: [floats('a', [5]), floats('b', [0])] }, [2, 7 / 3]],
  [
    'LayerNormalization without a bias',
    [2, 2],
    'LayerNormalization',
    { given: [floats('scale', [2, 4], [2])], attributes: [float('epsilon', 0.75), int('axis', 1)] },
    [
      [-1, 2],
      [-1, 2],
    ],
  ],
  [
    'LayerNormalization from the first axis on',
    [2, 1],
    'LayerNormalization',
    {
      given: [floats('scale', [2, 4], [2, 1]), floats('bias', [0, 1], [2, 1])],
      attributes: [float('epsilon', 0.75), int('axis', 0), int('stash_type', 1)],
    },
    [[-1], [3]],
  ],
  [
    'LayerNormalization with its mean',
    [2, 2],
    'LayerNormalization',
    { given: [floats('scale', [2, 4], [2])], output: ['z', 'y'] },
    [[1.5], [3.5]],
  ],
  [
    'LayerNormalization with its inverse deviation',
    [2, 2],
    'LayerNormalization',
    { given: [floats('scale', [2, 4], [2])], attributes: [float('epsilon', 3.75)], output: ['z', '', 'y'] },
    [[0.5], [0.5]],
  ],
  [
    'LayerNormalization beside its mean',
    [1, 2],
    'LayerNormalization',
    { given: [floats('scale', [2, 4], [2])], attributes: [float('epsilon', 0.75)], output: ['y', 'mean'] },
    [[-1, 2]],
  ],
  [
    'LayerNormalization beside its mean, with one scale for all',
    [1, 2],
    'LayerNormalization',
    { given: [floats('scale', [2], [1])], attributes: [float('epsilon', 0.75)], output: ['y', 'mean'] },
    [[-1, 1]],
  ],
  [
    'LayerNormalization with a bias beside its mean',
    [1, 2],
    'LayerNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [1, 0], [2])],
      attributes: [float('epsilon', 0.75)],
      output: ['y', 'mean'],
    },
    [[0, 2]],
  ],
  [
    'RMSNormalization',
    [1, 2],
    'RMSNormalization',
    { given: [floats('scale', [2, 4], [2])], attributes: [float('epsilon', 1.5), int('stash_type', 1)] },
    [[1, 4]],
  ],
  [
    'InstanceNormalization',
    [1, 2, 2],
    'InstanceNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])], attributes: [float('epsilon', 0.75)] },
    [
      [
        [-1, 1],
        [-1, 3],
      ],
    ],
  ],
  [
    'GroupNormalization',
    [1, 2, 1],
    'GroupNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])],
      attributes: [float('epsilon', 0.75), int('num_groups', 1)],
    },
    [[[-1], [3]]],
  ],
  ['GlobalMaxPool', [1, 2, 2], 'GlobalMaxPool', {}, [[[2], [4]]]],
  ['ReduceMax of no axes', [2], 'ReduceMax', { attributes: [int('noop_with_empty_axes', 1)] }, [1, 2]],
  ['ReduceL2 of no axes', [2], 'ReduceL2', { attributes: [int('noop_with_empty_axes', 1)] }, [1, 2]],
  [
    'AveragePool that counts no padding',
    [1, 1, 3],
    'AveragePool',
    { attributes: [ints('kernel_shape', [2]), ints('pads', [1, 1])] },
    [[[1, 1.5, 2.5, 3]]],
  ],
  [
    'AveragePool that counts the padding',
    [1, 1, 3],
    'AveragePool',
    { attributes: [ints('kernel_shape', [2]), ints('pads', [1, 0]), int('count_include_pad', 1)] },
    [[[0.5, 1.5, 2.5]]],
  ],
  [
    'MaxPool in rows, rounded up',
    [1, 1, 4],
    'MaxPool',
    { attributes: [ints('kernel_shape', [3]), ints('strides', [2]), int('ceil_mode', 1)] },
    [[[3, 4]]],
  ],
  [
    'Conv in rows with gaps, as wide as the input',
    [1, 1, 4],
    'Conv',
    {
      given: [floats('w', [1, 10], [1, 1, 2])],
      attributes: [text('auto_pad', 'SAME_UPPER'), ints('dilations', [2])],
    },
    [[[20, 31, 42, 3]]],
  ],
  [
    'Conv in rows with an odd padding in front and a bias',
    [1, 1, 3],
    'Conv',
    {
      given: [floats('w', [1, 10], [1, 1, 2]), floats('b', [100], [1])],
      attributes: [text('auto_pad', 'SAME_LOWER')],
    },
    [[[110, 121, 132]]],
  ],
  [
    'Conv without padding by name',
    [1, 1, 3],
    'Conv',
    { given: [floats('w', [1, 10], [1, 1, 2])], attributes: [text('auto_pad', 'VALID'), ints('pads', [1, 1])] },
    [[[21, 32]]],
  ],
  ['Squeeze of an attribute’s axes', [1, 2, 1], 'Squeeze', { attributes: [ints('axes', [0])] }, [[1], [2]]],
  ['Unsqueeze at an attribute’s axes', [2], 'Unsqueeze', { attributes: [ints('axes', [1])] }, [[1], [2]]],
  ['MatMul of a row', [2], 'MatMul', { given: [floats('w', [1, 10, 100, 1000], [2, 2])] }, [201, 2010]],
  ['MatMul with a column', [2, 2], 'MatMul', { given: [floats('w', [1, 10], [2])] }, [21, 43]],
  ['MatMul of a row with a column', [2], 'MatMul', { given: [floats('w', [1, 10], [2])] }, 21],
  ['MatMul of a row with a stack', [2], 'MatMul', { given: [floats('w', [1, 10, 2, 20], [2, 2, 1])] }, [[21], [42]]],
  ['ReduceLogSumExp', [1, 2], 'ReduceLogSumExp', { attributes: [ints('axes', [1])] }, [[2.313262]]],
  [
    'ReduceLogSumExp without its axis',
    [1, 2],
    'ReduceLogSumExp',
    { attributes: [ints('axes', [1]), int('keepdims', 0)] },
    [2.313262],
  ],
  [
    'MaxPool in rows, rounded up behind a padding in front',
    [1, 1, 4],
    'MaxPool',
    { attributes: [ints('kernel_shape', [2]), ints('strides', [2]), ints('pads', [1, 0]), int('ceil_mode', 1)] },
    [[[1, 3, 4]]],
  ],
  [
    'MaxPool in rows, rounded up no further than the image',
    [1, 1, 3],
    'MaxPool',
    { attributes: [ints('kernel_shape', [1]), ints('strides', [3]), int('ceil_mode', 1)] },
    [[[1]]],
  ],
  ['Slice of one element backwards', [3], 'Slice', slice([1], [0], [0], [-1]), [2]],
  [
    'Pad along a given axis',
    [1, 2],
    'Pad',
    { given: [whole('pads', [1, 0]), whole('', []), whole('axes', [-1])] },
    [[0, 1, 2]],
  ],
  ['ReduceMean without its axis', [1, 2], 'ReduceMean', { attributes: [ints('axes', [1]), int('keepdims', 0)] }, [1.5]],
  [
    'Conv of groups',
    [1, 2, 2],
    'Conv',
    { given: [floats('w', [10, 100], [2, 1, 1])], attributes: [int('group', 2)] },
    [
      [
        [10, 20],
        [300, 400],
      ],
    ],
  ],
  [
    'AveragePool with padding along one axis',
    [1, 1, 1, 2],
    'AveragePool',
    { attributes: [ints('kernel_shape', [1, 2]), ints('pads', [0, 1, 0, 1])] },
    [[[[1, 1.5, 2]]]],
  ],
  ['Split in parts of which nothing reads three', [4], 'Split', { output: ['', '', '', 'y'] }, [4]],
  ['Unsqueeze before a free size', ['N', 2], 'Unsqueeze', { given: [whole('axes', [0])] }, [[[1, 2]]]],
  ['Cast that saturates, as it does anyway', [2], 'Cast', { attributes: [int('to', 1), int('saturate', 1)] }, [1, 2]],
  [
    'Resize to one corner',
    [4],
    'Resize',
    {
      given: [whole('', []), whole('', []), whole('sizes', [1])],
      attributes: [text('coordinate_transformation_mode', 'align_corners'), text('mode', 'linear')],
    },
    [1],
  ],
  [
    'AveragePool whose last step does not fit',
    [1, 1, 4],
    'AveragePool',
    { attributes: [ints('kernel_shape', [2]), ints('strides', [2]), ints('pads', [1, 0])] },
    [[[1, 2.5]]],
  ],
  [
    'Split in an attribute’s parts',
    [5],
    'Split',
    { attributes: [ints('split', [1, 4])], output: ['b', 'y'] },
    [2, 3, 4, 5],
  ],
  [
    'DepthToSpace of blocks of one pixel',
    [1, 2, 1, 2],
    'DepthToSpace',
    { attributes: [int('blocksize', 1)] },
    [[[[1, 2]], [[3, 4]]]],
  ],
  [
    'MaxPool of half as many, which needs no padding',
    [1, 1, 4],
    'MaxPool',
    { attributes: [ints('kernel_shape', [2]), ints('strides', [2]), text('auto_pad', 'SAME_UPPER')] },
    [[[2, 4]]],
  ],
  [
    'MaxPool as wide as the input, where nothing is left to round up',
    [1, 1, 5],
    'MaxPool',
    {
      attributes: [
        ...[ints('kernel_shape', [3]), ints('strides', [2])],
        ...[text('auto_pad', 'SAME_UPPER'), int('ceil_mode', 1)],
      ],
    },
    [[[2, 4, 5]]],
  ],
  [
    'MaxPool rounded up no further than a padding at the end',
    [1, 1, 4],
    'MaxPool',
    { attributes: [ints('kernel_shape', [2]), ints('strides', [2]), ints('pads', [0, 1]), int('ceil_mode', 1)] },
    [[[2, 4]]],
  ],
  [
    'MaxPool side by side, rounded up behind a padding in front',
    [1, 1, 6],
    'MaxPool',
    { attributes: [ints('kernel_shape', [3]), ints('strides', [3]), ints('pads', [1, 0]), int('ceil_mode', 1)] },
    [[[2, 5, 6]]],
  ],
  ...['NOTSET', 'VALID'].map((name): Form => [
    `ConvTranspose whose padding is called ${name}`,
    [1, 1, 1, 2],
    'ConvTranspose',
    { given: [floats('w', [1, 10], [1, 1, 1, 2])], attributes: [text('auto_pad', name), ints('strides', [1, 2])] },
    [[[[1, 10, 2, 20]]]],
  ]),
  [
    'Resize without a mode',
    [2],
    'Resize',
    { given: [whole('', []), whole('', []), whole('sizes', [4])] },
    [1, 1, 2, 2],
  ],
  ...[
    { sizes: [2], answer: [1.5, 3.5] },
    { sizes: [1], answer: [1] },
  ].map(({ sizes, answer }): Form => [
    `Resize of a row to ${sizes.join()} as PyTorch does`,
    [4],
    'Resize',
    {
      given: [whole('', []), whole('', []), whole('sizes', sizes)],
      attributes: [text('coordinate_transformation_mode', 'pytorch_half_pixel'), text('mode', 'linear')],
    },
    answer,
  ]),
  [
    'GroupNormalization in single precision',
    [1, 2, 1],
    'GroupNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])],
      attributes: [float('epsilon', 0.75), int('num_groups', 1), int('stash_type', 1)],
    },
    [[[-1], [3]]],
  ],
];

describe('reads the form', () => {
  it.each(forms)('%s', (_about, shape, opType, { given = [], attributes = [], output }, answer) => {
    const file = {
      shape,
      initializer: given.filter(({ name }) => name !== ''),
      node: [nodeOf(opType, given, attributes, output)],
    };
    expect(answerOf(file)).toEqual(closeTo(answer));
  });
});
