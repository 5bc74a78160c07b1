/** Forms that other exporters give to ops answer as ONNX says, in the shape that it says, or are refused by name. */
import { describe, expect, it } from 'vitest';
import { decodeAnyModel, type onnx, onnxProto } from '../../../training/graph/index.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { range } from '../../reference/ndarray.ts';
import { type File, fileOf, floats, int, ints, node, whole } from './foreign-files.ts';

const { FLOAT, STRING } = onnxProto.onnx.AttributeProto.AttributeType;

type Size = number | 'N';
/** A nested list of numbers. */
type Nested = number | readonly Nested[];
type Initializers = readonly onnx.ITensorProto[];

const text = (name: string, value: string) => ({ name, type: STRING, s: new TextEncoder().encode(value) });
const float = (name: string, f: number) => ({ name, type: FLOAT, f });
const nodeOf = (opType: string, initializer: Initializers, attributes: onnx.IAttributeProto[], output = ['y']) =>
  node(opType, ['x', ...initializer.map(({ name }) => name ?? '')], attributes, output);

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

type Form = readonly [
  about: string,
  shape: readonly Size[],
  opType: string,
  rest: { readonly given?: Initializers; readonly attributes?: onnx.IAttributeProto[]; readonly output?: string[] },
  answer: Nested,
];

const slice = (starts: number[], ends: number[], axes: number[], steps: number[]) => ({
  given: [whole('starts', starts), whole('ends', ends), whole('axes', axes), whole('steps', steps)],
});
const pad = (mode: string, pads: number[]) => ({ given: [whole('pads', pads)], attributes: [text('mode', mode)] });

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
    slice([9, 1], [0, 3], [0, 1], [-1, 1]),
    [
      [11, 12],
      [8, 9],
      [5, 6],
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
];

describe('reads the form', () => {
  it.each(forms)('%s', (_about, shape, opType, { given = [], attributes = [], output }, answer) => {
    const file = { shape, initializer: [...given], node: [nodeOf(opType, given, attributes, output)] };
    expect(answerOf(file)).toEqual(closeTo(answer));
  });
});

type Refusal = [about: string, shape: readonly Size[], opType: string, rest: Form[3], message?: string];

const refusals: Refusal[] = [
  ['Squeeze of an axis of more', [2, 3], 'Squeeze', { given: [whole('axes', [0])] }],
  ['Unsqueeze of one axis twice', [2], 'Unsqueeze', { given: [whole('axes', [1, 1])] }],
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
];

describe('refuses the form', () => {
  it.each<Refusal>(refusals)('%s', (_about, shape, opType, { given = [], attributes = [], output }, message) => {
    const file = { shape, initializer: [...given], node: [nodeOf(opType, given, attributes, output)] };
    expect(() => decodeAnyModel(fileOf(file))).toThrow(message ?? `this form of ${opType} is not covered`);
  });
});
