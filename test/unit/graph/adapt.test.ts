/** Ops of other exporters are expressed by this project's ops with the same results. */
import { describe, expect, it } from 'vitest';
import { decodeAnyModel, decodeModel, onnxProto } from '../../../training/graph/index.ts';
import { range } from '../../reference/ndarray.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { type File, fileOf, floats, int, ints, node, whole } from './foreign-files.ts';

const { FLOAT, FLOATS, STRING, TENSOR } = onnxProto.onnx.AttributeProto.AttributeType;
const types = onnxProto.onnx.TensorProto.DataType;

const x = Float64Array.from(range(12), (i) => ((i * 7) % 5) - 2);
const answerOf = (file: File): readonly number[] => {
  const shape = (file.shape ?? ['N', 2, 2, 3]).map((size) => (typeof size === 'string' ? 1 : size));
  const { graph } = decodeAnyModel(fileOf(file));
  return [...(evaluate(graph, { x: { shape, data: x } }).y?.data ?? [])];
};

const each = (f: (x: number) => number): readonly number[] => [...x].map(f);
const channel = (i: number): readonly number[] => [...x.slice(6 * i, 6 * i + 6)];
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

const cases: Readonly<Record<string, readonly [File, readonly number[]]>> = {
  GlobalAveragePool: [{ node: [node('GlobalAveragePool', ['x'])] }, [0, 1].map((i) => sum(channel(i)) / 6)],
  GlobalMaxPool: [{ node: [node('GlobalMaxPool', ['x'])] }, [0, 1].map((i) => Math.max(...channel(i)))],
  'ReduceMean with axes as an attribute': [
    { node: [node('ReduceMean', ['x'], [ints('axes', [2, 3]), int('keepdims', 0)])] },
    [0, 1].map((i) => sum(channel(i)) / 6),
  ],
  Dropout: [{ node: [node('Dropout', ['x'], [], ['y', 'mask'])] }, each((value) => value)],
  Abs: [{ node: [node('Abs', ['x'])] }, each(Math.abs)],
  Min: [{ node: [node('Min', ['x', 'c'])], initializer: [floats('c', [0.5])] }, each((value) => Math.min(value, 0.5))],
  'Max of three': [
    { node: [node('Max', ['x', 'c', 'd'])], initializer: [floats('c', [-1]), floats('d', [0.5])] },
    each((value) => Math.max(value, 0.5)),
  ],
  'Sum of three': [
    { node: [node('Sum', ['x', 'x', 'c'])], initializer: [floats('c', [1])] },
    each((value) => 2 * value + 1),
  ],
  'Pow of a stored 2': [
    { node: [node('Pow', ['x', 'c'])], initializer: [floats('c', [2])] },
    each((value) => value ** 2),
  ],
  HardSwish: [{ node: [node('HardSwish', ['x'])] }, each((value) => value * Math.max(0, Math.min(1, value / 6 + 0.5)))],
  'Clip without a maximum': [
    { node: [node('Clip', ['x', 'c'])], initializer: [floats('c', [0])] },
    each((value) => Math.max(value, 0)),
  ],
  'a Constant that is a node': [
    {
      node: [
        node('Constant', [], [{ name: 'value', type: TENSOR, t: floats('', [3]) }], ['c']),
        node('Mul', ['x', 'c']),
      ],
    },
    each((value) => 3 * value),
  ],
  'a number that is a node': [
    { node: [node('Constant', [], [{ name: 'value_float', type: FLOAT, f: 2 }], ['c']), node('Add', ['x', 'c'])] },
    each((value) => value + 2),
  ],
  'a pool with all that it means anyway': [
    {
      node: [
        node(
          'MaxPool',
          ['x'],
          [
            { name: 'auto_pad', type: STRING, s: new TextEncoder().encode('NOTSET') },
            ...[int('ceil_mode', 0), int('storage_order', 0), ints('dilations', [1, 1])],
            ...[ints('kernel_shape', [2, 3]), ints('strides', [2, 3])],
          ],
        ),
      ],
    },
    [0, 1].map((i) => Math.max(...channel(i))),
  ],
  'ReduceLogSumExp, without the axes': [
    { node: [node('ReduceLogSumExp', ['x'], [ints('axes', [2, 3]), int('keepdims', 0)])] },
    [0, 1].map((i) => Math.log(sum(channel(i).map(Math.exp)))),
  ],
  'ReduceLogSumExp of all that is not the batch': [
    { node: [node('ReduceLogSumExp', ['x'], [ints('axes', [-1, -2, -3])])] },
    [Math.log(sum(each(Math.exp)))],
  ],
  'ReduceLogSum of what is positive': [
    { node: [node('Exp', ['x'], [], ['e']), node('ReduceLogSum', ['e'], [ints('axes', [2, 3])])] },
    [0, 1].map((i) => Math.log(sum(channel(i).map(Math.exp)))),
  ],
  ReduceL1: [
    { node: [node('ReduceL1', ['x'], [ints('axes', [2, 3])])] },
    [0, 1].map((i) => sum(channel(i).map(Math.abs))),
  ],
  ReduceL2: [{ node: [node('ReduceL2', ['x'], [ints('axes', [2, 3])])] }, [0, 1].map((i) => Math.hypot(...channel(i)))],
  ReduceSumSquare: [
    { node: [node('ReduceSumSquare', ['x'], [ints('axes', [2, 3])])] },
    [0, 1].map((i) => Math.hypot(...channel(i)) ** 2),
  ],
  ReduceMin: [{ node: [node('ReduceMin', ['x'], [ints('axes', [2, 3])])] }, [0, 1].map((i) => Math.min(...channel(i)))],
  ArgMin: [
    {
      node: [
        node('ArgMin', ['x'], [int('axis', 1), int('keepdims', 0)], ['i']),
        node('Cast', ['i'], [int('to', types.FLOAT)]),
      ],
    },
    channel(0).map((value, i) => Number((channel(1)[i] ?? NaN) < value)),
  ],
  Swish: [{ node: [node('Swish', ['x'])] }, each((value) => value / (1 + Math.exp(-value)))],
  'Swish of a factor': [
    { node: [node('Swish', ['x'], [{ name: 'alpha', type: FLOAT, f: 2 }])] },
    each((value) => value / (1 + Math.exp(-2 * value))),
  ],
  Elu: [{ node: [node('Elu', ['x'])] }, each((value) => (value < 0 ? Math.exp(value) - 1 : value))],
  Celu: [{ node: [node('Celu', ['x'])] }, each((value) => (value < 0 ? Math.exp(value) - 1 : value))],
  'Celu of a divisor': [
    { node: [node('Celu', ['x'], [{ name: 'alpha', type: FLOAT, f: 2 }])] },
    each((value) => (value < 0 ? 2 * (Math.exp(value / 2) - 1) : value)),
  ],
  'Selu of factors': [
    {
      node: [
        node(
          'Selu',
          ['x'],
          [
            { name: 'alpha', type: FLOAT, f: 2 },
            { name: 'gamma', type: FLOAT, f: 3 },
          ],
        ),
      ],
    },
    each((value) => 3 * (value > 0 ? value : 2 * (Math.exp(value) - 1))),
  ],
  Mish: [{ node: [node('Mish', ['x'])] }, each((value) => value * Math.tanh(Math.log(1 + Math.exp(value))))],
  'Dropout that is told not to train': [
    {
      node: [node('Dropout', ['x', 'ratio', 'training'])],
      initializer: [
        floats('ratio', [0.5]),
        { name: 'training', dataType: types.BOOL, dims: [], rawData: Uint8Array.of(0) },
      ],
    },
    each((value) => value),
  ],
  'Pad with a number': [
    {
      node: [node('Pad', ['x', 'pads', 'five'])],
      initializer: [whole('pads', [0, 0, 1, 0, 0, 0, 0, 1]), floats('five', [5])],
    },
    [0, 1].flatMap((i) => [5, 5, 5, 5, ...channel(i).slice(0, 3), 5, ...channel(i).slice(3), 5]),
  ],
  'Tile along two axes': [
    { node: [node('Tile', ['x', 'times'])], initializer: [whole('times', [1, 1, 2, 2])] },
    [0, 1].flatMap((i) => {
      const [first, second] = [channel(i).slice(0, 3), channel(i).slice(3)];
      return [...first, ...first, ...second, ...second, ...first, ...first, ...second, ...second];
    }),
  ],
  'a list of numbers that is a node': [
    {
      node: [
        node('Constant', [], [{ name: 'value_floats', type: FLOATS, floats: [10, 20, 30] }], ['c']),
        node('Add', ['x', 'c']),
      ],
    },
    Array.from(x, (value, i) => value + 10 * ((i % 3) + 1)),
  ],
  'a number without a value, which is zero': [
    { node: [node('Constant', [], [{ name: 'value_float', type: FLOAT }], ['c']), node('Add', ['x', 'c'])] },
    each((value) => value),
  ],
  'whole numbers that are a node': [
    { node: [node('Constant', [], [ints('value_ints', [0, 12])], ['c']), node('Reshape', ['x', 'c'])] },
    each((value) => value),
  ],
  'a whole number that is a node': [
    {
      node: [
        node('Constant', [], [int('value_int', 3)], ['i']),
        node('Cast', ['i'], [int('to', types.FLOAT)], ['c']),
        node('Mul', ['x', 'c']),
      ],
    },
    each((value) => 3 * value),
  ],
  'a shape that is stored as floats': [
    {
      node: [
        node('Constant', [], [{ name: 'value_floats', type: FLOATS, floats: [-1, 12] }], ['c']),
        node('Cast', ['c'], [int('to', types.INT64)], ['s']),
        node('Reshape', ['x', 's']),
      ],
    },
    each((value) => value),
  ],
  'whole numbers that are a node, as a list of their length': [
    {
      node: [
        node('Constant', [], [ints('value_ints', [7, 8])], ['c']),
        node('Size', ['c'], [], ['s']),
        node('Cast', ['s'], [int('to', types.FLOAT)], ['f']),
        node('Mul', ['x', 'f']),
      ],
    },
    each((value) => 2 * value),
  ],
  'stored fractions that a Cast makes whole': [
    {
      node: [
        node('Cast', ['c'], [int('to', types.INT64)], ['i']),
        node('Cast', ['i'], [int('to', types.FLOAT)], ['f']),
        node('Add', ['x', 'f']),
      ],
      initializer: [floats('c', [1.5, -2.5, 2], [3])],
    },
    Array.from(x, (value, i) => value + ([1, -2, 2][i % 3] ?? NaN)),
  ],
  'stored numbers that a Cast makes true or false': [
    {
      node: [node('Cast', ['c'], [int('to', types.BOOL)], ['b']), node('Where', ['b', 'x', 'zero'])],
      initializer: [floats('c', [0, 1, 2], [3]), floats('zero', [0])],
    },
    Array.from(x, (value, i) => (i % 3 === 0 ? 0 : value)),
  ],
  'an op with the long name of ONNX’s domain': [
    { node: [{ ...node('Abs', ['x']), domain: 'ai.onnx' }] },
    each(Math.abs),
  ],
  'zeros of a stored shape': [
    {
      node: [node('ConstantOfShape', ['shape'], [], ['c']), node('Max', ['x', 'c'])],
      initializer: [whole('shape', [2, 3])],
    },
    each((value) => Math.max(value, 0)),
  ],
  'a Reshape whose −1 is the batch': [
    {
      node: [node('Reshape', ['x', 'c'])],
      initializer: [{ name: 'c', dataType: types.INT64, dims: [2], int64Data: [-1, 12] }],
    },
    each((value) => value),
  ],
};

describe('decodeAnyModel', () => {
  it.each(Object.entries(cases))('reads %s', (_name, [file, expected]) => {
    const got = answerOf(file);
    expect(got).toHaveLength(expected.length);
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 6);
    });
  });

  it('reads Less as Greater with its sides exchanged', () => {
    const file = {
      node: [node('Less', ['x', 'c'], [], ['b']), node('Cast', ['b'], [int('to', types.FLOAT)])],
      initializer: [floats('c', [0])],
    };
    expect(answerOf(file)).toEqual(each((value) => Number(value < 0)));
  });

  it('reads LogSoftmax, and Gelu', () => {
    const shape = ['N', 12];
    const total = Math.log(sum(each(Math.exp)));
    const softmax = answerOf({ shape, node: [node('LogSoftmax', ['x'], [int('axis', -1)])] });
    softmax.forEach((value, i) => {
      expect(value).toBeCloseTo((x[i] ?? NaN) - total, 6);
    });
    const gelu = answerOf({ node: [node('Gelu', ['x'])] });
    expect(gelu[x.indexOf(1)]).toBeCloseTo(0.841345, 5);
    expect(gelu[x.indexOf(-2)]).toBeCloseTo(-0.0455, 5);
  });

  it.each([
    [
      'a mean whose last window may end behind the padding, which runtimes divide differently',
      node('AveragePool', ['x'], [int('ceil_mode', 1), int('count_include_pad', 1), ints('kernel_shape', [2, 2])]),
      'ceil_mode',
    ],
    [
      'a padding of less than nothing',
      node(
        'MaxPool',
        ['x'],
        [
          { name: 'auto_pad', type: STRING, s: new TextEncoder().encode('SAME_UPPER') },
          ...[ints('kernel_shape', [1, 1]), ints('strides', [1, 3])],
        ],
      ),
      'auto_pad',
    ],
    ['a power that is computed', node('Pow', ['x', 'x']), 'this form of Pow is not covered'],
    [
      'Dropout of which nothing says that it does not train',
      node('Dropout', ['x', 'x', 'x']),
      'this form of Dropout is not covered',
    ],
    ['Tile of a computed number of times', node('Tile', ['x', 'x']), 'this form of Tile is not covered'],
    [
      'groups of channels with computed parameters',
      node('GroupNormalization', ['x', 'x', 'x'], [int('num_groups', 2)]),
      'this form of GroupNormalization is not covered',
    ],
    [
      'a pool whose indices go down the columns',
      node('MaxPool', ['x'], [ints('kernel_shape', [2, 2]), int('storage_order', 1)]),
      'storage_order',
    ],
    ['Squeeze along computed axes', node('Squeeze', ['x', 'x']), 'this form of Squeeze is not covered'],
    [
      'Split in computed parts',
      node('Split', ['x', 'x'], [int('axis', 1)], ['y', 'z']),
      'this form of Split is not covered',
    ],
    [
      'Pad with a computed number',
      [node('Constant', [], [ints('value_ints', [0, 0, 0, 0, 0, 0, 0, 1])], ['p']), node('Pad', ['x', 'p', 'x'])],
      'expected 2 inputs',
    ],
    [
      'Conv in rows with computed weights',
      [
        node('Constant', [], [ints('value_ints', [0, 2, 6])], ['s']),
        node('Reshape', ['x', 's'], [], ['r']),
        node('Conv', ['r', 'r']),
      ],
      'expected attribute kernel_shape',
    ],
    [
      'a Cast of stored numbers to nothing',
      [node('Constant', [], [ints('value_ints', [3])], ['c']), node('Cast', ['c'])],
      'expected attribute to',
    ],
    ['an op of another domain', { ...node('Abs', ['x']), domain: 'com.other' }, 'op com.other.Abs is not known'],
    ['an op named like a method of objects', node('toString', ['x']), 'op toString is not known'],
    [
      'a constant of too many elements',
      [node('Constant', [], [ints('value_ints', [1e7 + 1])], ['s']), node('ConstantOfShape', ['s'])],
      'this form of ConstantOfShape is not covered',
    ],
    [
      'a constant that repeats two elements',
      [
        node('Constant', [], [ints('value_ints', [2])], ['s']),
        node('ConstantOfShape', ['s'], [{ name: 'value', type: TENSOR, t: floats('', [1, 2], [2]) }]),
      ],
      'this form of ConstantOfShape is not covered',
    ],
    ['an op that nobody has words for', node('Trilu', ['x']), 'op Trilu is not known'],
  ])('refuses %s by its name', (_about, one, message) => {
    expect(() => decodeAnyModel(fileOf({ node: [one].flat() }))).toThrow(message);
  });

  it('adds no node that does nothing to a maximum', () => {
    const { graph } = decodeAnyModel(fileOf({ node: [node('MaxPool', ['x'], [ints('kernel_shape', [2, 2])])] }));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['MaxPool']);
  });

  it('adds no shape to a product of matrices', () => {
    const file = { shape: ['N', 3], node: [node('MatMul', ['x', 'w'])], initializer: [floats('w', [1, 2, 3], [3, 1])] };
    expect(decodeAnyModel(fileOf(file)).graph.nodes.map(({ op }) => op)).toEqual(['MatMul']);
  });

  it('adds no padding of nothing to a mean', () => {
    const { graph } = decodeAnyModel(fileOf({ node: [node('AveragePool', ['x'], [ints('kernel_shape', [2, 2])])] }));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['AveragePool', 'Identity']);
  });

  it.each(['magnitude', ''])('gives the nodes that replace a node its name, "%s"', (name) => {
    const { graph } = decodeAnyModel(fileOf({ node: [{ ...node('Abs', ['x']), name }] }));
    expect(graph.nodes.map((one) => `${one.name}: ${one.op}`)).toEqual([`${name}: Neg`, `${name}: Max`]);
  });

  it('is not what the reader of exported files does', () => {
    expect(() => decodeModel(fileOf({ node: [node('Abs', ['x'])] }))).toThrow('op Abs is not known');
  });
});
