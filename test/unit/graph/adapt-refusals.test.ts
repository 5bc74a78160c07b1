/** Forms of ops that nothing here expresses are refused, by the name of what does not fit. */
import { describe, expect, it } from 'vitest';
import { decodeAnyModel } from '../../../training/graph/index.ts';
import {
  fileOf,
  floats,
  type Form,
  int,
  ints,
  node,
  nodeOf,
  pad,
  type Size,
  slice,
  text,
  whole,
} from './foreign-files.ts';

type Refusal = [about: string, shape: readonly Size[], opType: string, rest: Form[3], message?: string];

const refusals: Refusal[] = [
  ['Squeeze of an axis of more', [2, 3], 'Squeeze', { given: [whole('axes', [0])] }],
  ['Unsqueeze of one axis twice', [2], 'Unsqueeze', { given: [whole('axes', [1, 1])] }],
  ['Unsqueeze at the first axis and far behind', [2], 'Unsqueeze', { given: [whole('axes', [0, 9])] }],
  ['Unsqueeze behind the last axis', [2], 'Unsqueeze', { given: [whole('axes', [2])] }],
  ['Unsqueeze before the first axis', [2], 'Unsqueeze', { given: [whole('axes', [-3])] }],
  ['Split of a free axis', ['N', 2], 'Split', { output: ['y', 'b'] }],
  ['Split in other parts than outputs', [3], 'Split', { given: [whole('parts', [1, 1, 1])], output: ['y', 'b'] }],
  ['Split in a part of nothing', [3], 'Split', { given: [whole('parts', [3, 0])], output: ['y', 'b'] }],
  ['Slice by nothing', [3], 'Slice', slice([0], [3], [0], [0]), 'expected steps of 1 or more, got [0]'],
  [
    'Slice by nothing and backwards',
    [3, 3],
    'Slice',
    slice([0, 2], [3, 0], [0, 1], [0, -1]),
    'expected steps of 1 or more, got [0, -1]',
  ],
  ['Pad of a free axis', ['N', 2], 'Pad', pad('edge', [1, 0, 0, 0]), 'expected mode constant, got edge'],
  ['Pad by another word', [2], 'Pad', pad('mirror', [1, 0]), 'expected mode constant, got mirror'],
  [
    'Pad with a reflection of more than there is',
    [2],
    'Pad',
    pad('reflect', [2, 0]),
    'expected mode constant, got reflect',
  ],
  ['Pad that cuts', [3], 'Pad', pad('edge', [-1, 1]), 'expected mode constant, got edge'],
  ['Tile of a free axis', ['N', 2], 'Tile', { given: [whole('times', [2, 1])] }],
  ['Tile of no times', [2], 'Tile', { given: [whole('times', [0])] }],
  ['DepthToSpace of blocks of no size', [1, 4, 1, 1], 'DepthToSpace', {}],
  ['DepthToSpace of a row', [1, 4, 1], 'DepthToSpace', { attributes: [int('blocksize', 2)] }],
  ['DepthToSpace of free channels', [1, 'N', 1, 1], 'DepthToSpace', { attributes: [int('blocksize', 2)] }],
  ['DepthToSpace of channels that do not divide', [1, 6, 1, 1], 'DepthToSpace', { attributes: [int('blocksize', 2)] }],
  ['SpaceToDepth of pixels that do not divide', [1, 1, 3, 2], 'SpaceToDepth', { attributes: [int('blocksize', 2)] }],
  [
    'InstanceNormalization with a bias for other channels',
    [1, 2, 2],
    'InstanceNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0], [1])] },
  ],
  [
    'InstanceNormalization without pixels',
    [1, 2],
    'InstanceNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])] },
  ],
  [
    'GroupNormalization without groups',
    [1, 2, 1],
    'GroupNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])] },
  ],
  [
    'GroupNormalization of groups that do not divide',
    [1, 2, 1],
    'GroupNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])], attributes: [int('num_groups', 3)] },
  ],
  [
    'LayerNormalization in another precision',
    [1, 2],
    'LayerNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])], attributes: [int('stash_type', 10)] },
    'attribute stash_type is not known',
  ],
  [
    'RMSNormalization in another precision',
    [1, 2],
    'RMSNormalization',
    { given: [floats('scale', [2, 4], [2])], attributes: [int('stash_type', 10)] },
  ],
  [
    'AveragePool of a free size',
    [1, 1, 'N'],
    'AveragePool',
    { attributes: [ints('kernel_shape', [2])] },
    'expected kernel_shape of 2 integers from 1 on, got [2]',
  ],
  ['Squeeze of one axis of more beside one of 1', [1, 3], 'Squeeze', { given: [whole('axes', [0, 1])] }],
  [
    'Slice backwards from more starts than axes',
    [3],
    'Slice',
    slice([2, 1], [0], [0], [-1]),
    'expected steps of 1 or more, got [-1]',
  ],
  [
    'Slice by nothing along the first axis',
    [3],
    'Slice',
    { given: [whole('starts', [0]), whole('ends', [3]), whole('', []), whole('steps', [0])] },
    'expected steps of 1 or more, got [0]',
  ],
  ['DepthToSpace of blocks of less', [1, 4, 1, 1], 'DepthToSpace', { attributes: [int('blocksize', -2)] }],
  ['DepthToSpace of volumes', [1, 4, 1, 1, 1], 'DepthToSpace', { attributes: [int('blocksize', 2)] }],
  [
    'LayerNormalization beside its mean with an attribute of another op',
    [1, 2],
    'LayerNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])],
      attributes: [text('direction', 'forward')],
      output: ['y', 'mean'],
    },
    'attribute direction is not known',
  ],
  [
    'LayerNormalization of a free size',
    [2, 'N'],
    'LayerNormalization',
    { given: [floats('scale', [2], [1]), floats('bias', [0], [1])] },
    'expected Scale of shape [N]',
  ],
  [
    'LayerNormalization with a bias of another shape',
    [1, 2],
    'LayerNormalization',
    { given: [floats('scale', [2, 4], [2]), floats('bias', [0], [1])] },
    'expected B of shape [2]',
  ],
  [
    'Conv of volumes',
    [1, 1, 2, 2, 2],
    'Conv',
    { given: [floats('w', [1], [1, 1, 1, 1, 1])] },
    'expected attribute kernel_shape',
  ],
  ['Slice of nothing backwards', [3], 'Slice', slice([0], [2], [0], [-1]), 'expected steps of 1 or more, got [-1]'],
  [
    'Pad with a number beside a free size',
    [2, 'N'],
    'Pad',
    { given: [whole('pads', [1, 0, 0, 0]), floats('five', [5])] },
    'expected 2 inputs',
  ],
  ['Gelu by another approximation', [2], 'Gelu', { attributes: [text('approximate', 'other')] }],
  ['Cast to nothing', [2], 'Cast', {}, 'expected attribute to'],
  ['Pad by amounts for one side', [3], 'Pad', pad('edge', [1]), 'expected mode constant, got edge'],
  [
    'Pad that cuts beside a number',
    [3],
    'Pad',
    { given: [whole('pads', [-1, 1]), floats('five', [5])] },
    'expected pads of 0 or more, got [-1, 1]',
  ],
  ['Tile of no times along one axis', [2, 2], 'Tile', { given: [whole('times', [0, 2])] }],
  [
    'GroupNormalization with an attribute of another op',
    [1, 2, 1],
    'GroupNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])],
      attributes: [int('num_groups', 1), text('direction', 'forward')],
    },
  ],
  [
    'GroupNormalization in another precision',
    [1, 2, 1],
    'GroupNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])],
      attributes: [int('num_groups', 1), int('stash_type', 10)],
    },
  ],
  [
    'InstanceNormalization with an attribute of another op',
    [1, 2, 2],
    'InstanceNormalization',
    {
      given: [floats('scale', [2, 4], [2]), floats('bias', [0, 1], [2])],
      attributes: [text('direction', 'forward')],
    },
  ],
  [
    'RMSNormalization with an attribute of another op',
    [1, 2],
    'RMSNormalization',
    { given: [floats('scale', [2, 4], [2])], attributes: [text('direction', 'forward')] },
  ],
  ['Split in more parts than there are elements', [5], 'Split', { output: ['y', 'b', 'c', 'd'] }],
  ['Resize of a free axis', ['N', 2], 'Resize', { given: [whole('', []), floats('scales', [2, 1], [2])] }],
  [
    'Resize of a free axis beside another',
    ['N', 2],
    'Resize',
    { given: [whole('', []), floats('scales', [2, 2], [2])] },
  ],
  ['Resize to nothing', [4], 'Resize', { given: [whole('', []), floats('scales', [0.1], [1])] }],
  ...['Conv', 'ConvTranspose'].map((op): Refusal => [
    `${op} with a kernel of another size than its weights`,
    [1, 1, 1, 4],
    op,
    { given: [floats('w', [1, 10], [1, 1, 1, 2])], attributes: [ints('kernel_shape', [1, 3])] },
    'expected W of shape [1, 1, 1, 3]',
  ]),
  ['MatMul of a number', [], 'MatMul', { given: [floats('w', [1, 2], [2])] }, 'got [] and [2]'],
  ['MatMul with a number', [2], 'MatMul', { given: [floats('w', [1])] }, 'got [2] and []'],
];

describe('refuses the form', () => {
  it.each<Refusal>(refusals)('%s', (_about, shape, opType, { given = [], attributes = [], output }, message) => {
    const file = {
      shape,
      initializer: given.filter(({ name }) => name !== ''),
      node: [nodeOf(opType, given, attributes, output)],
    };
    expect(() => decodeAnyModel(fileOf(file))).toThrow(message ?? `this form of ${opType} is not covered`);
  });
});

describe('refuses a value that nothing defines, by name', () => {
  it.each([
    ...['Squeeze', 'Unsqueeze', 'Split', 'Slice', 'Pad', 'Transpose', 'DepthToSpace', 'SpaceToDepth', 'Tile', 'Resize'],
    ...['InstanceNormalization', 'GroupNormalization', 'LayerNormalization', 'RMSNormalization'],
    ...['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool', 'MatMul'],
    ...['ReduceMean', 'ReduceMin', 'ReduceLogSumExp', 'ArgMin', 'Pow', 'Elu', 'Clip', 'Shape', 'Size', 'Cast'],
    ...['ConstantOfShape', 'Abs', 'Less', 'Sum'],
  ])('in %s', (opType) => {
    const bytes = fileOf({ shape: [2], node: [node(opType, ['z', 'z', 'z'])] });
    expect(() => decodeAnyModel(bytes)).toThrow(
      /: (?:z is read before it is defined|this form of \w+ is not covered|expected)/,
    );
  });
});
