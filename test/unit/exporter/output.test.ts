/** The answer of another program's model is recognized. */
import onnxProto, { type onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { labelsOf, outputOf } from '../../../exporter/served/output.ts';
import { portsOf } from '../../../exporter/served/ports.ts';

const { FLOAT, INT64, FLOAT16, DOUBLE } = onnxProto.onnx.TensorProto.DataType;
const { INT, STRING, STRINGS } = onnxProto.onnx.AttributeProto.AttributeType;

type Dims = readonly (number | string)[] | undefined;

const port = (name: string, dims: Dims, elemType: number = FLOAT): onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: {
      elemType,
      ...(dims && {
        shape: { dim: dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size })) },
      }),
    },
  },
});

const text = (name: string, value: string): onnx.IAttributeProto => ({ name, type: STRING, s: Buffer.from(value) });
const whole = (name: string, i: number): onnx.IAttributeProto => ({ name, type: INT, i });

/** Returns an operator with these outputs. */
const node = (
  opType: string,
  output: readonly string[],
  { input = ['x'], attribute = [] }: { input?: readonly string[]; attribute?: readonly onnx.IAttributeProto[] } = {},
): onnx.INodeProto => ({ opType, input: [...input], output: [...output], attribute: [...attribute] });

const inferred = (output: readonly onnx.IValueInfoProto[], ...nodes: readonly onnx.INodeProto[]) => {
  const graph = { output: [...output], node: [...nodes] };
  return outputOf(graph, portsOf(graph));
};

/** Returns the recognized output of a graph, given the names of three classes. */
const labelled = (output: readonly onnx.IValueInfoProto[], ...nodes: readonly onnx.INodeProto[]) => {
  const graph = { output: [...output], node: [...nodes] };
  return outputOf(graph, portsOf(graph), 3);
};

const rows = (name: string, classes: number | string = 3, type = FLOAT) => port(name, ['N', classes], type);
const known = (name: string, kind: string) => ({ name, kind, isGuess: false });
const guess = (name: string, kind: string) => ({ name, kind, isGuess: true });

describe('the answer is probabilities', () => {
  it.each<[what: string, output: readonly onnx.IValueInfoProto[], nodes: readonly onnx.INodeProto[]]>([
    ['of a softmax', [rows('y')], [node('Softmax', ['y'])]],
    ['of a sigmoid, for one class', [rows('y', 1)], [node('Sigmoid', ['y'])]],
    ['of a sigmoid, in one dimension', [port('y', ['N'])], [node('Sigmoid', ['y'])]],
    ['of a sigmoid, whatever its shape', [port('y', undefined)], [node('Sigmoid', ['y'])]],
    ['in doubles', [rows('y', 3, DOUBLE)], [node('Softmax', ['y'])]],
    [
      'behind what does not change them',
      [rows('y', 3, FLOAT16)],
      [node('Softmax', ['a']), node('Reshape', ['b'], { input: ['a'] }), node('Cast', ['y'], { input: ['b'] })],
    ],
    ['of shares', [rows('y')], [node('Normalizer', ['y'], { attribute: [text('norm', 'L1')] })]],
    ['of shares by another operator', [rows('y')], [node('LpNormalization', ['y'], { attribute: [whole('p', 1)] })]],
    ['of trees', [port('label', ['N'], INT64), rows('y')], [node('TreeEnsembleClassifier', ['label', 'y'])]],
    [
      'of a linear classifier that transforms',
      [port('label', ['N'], INT64), rows('y')],
      [node('LinearClassifier', ['label', 'y'], { attribute: [text('post_transform', 'SOFTMAX')] })],
    ],
  ])('%s', (_, output, nodes) => {
    expect(inferred(output, ...nodes)).toEqual(known('y', 'probabilities'));
  });

  it.each(['probabilities', 'output_probability', 'Softmax:0', 'confidence'])('by the name %s', (name) => {
    expect(inferred([rows(name)], node('Div', [name]))).toEqual(known(name, 'probabilities'));
  });
});

describe('the answer is logits', () => {
  it.each<[what: string, name: string, nodes: readonly onnx.INodeProto[]]>([
    ['by its name', 'logits', [node('Gemm', ['logits'])]],
    ['as logarithms of probabilities', 'y', [node('LogSoftmax', ['y'])]],
    ['of a linear classifier that transforms nothing', 'y', [node('LinearClassifier', ['label', 'y'])]],
  ])('%s', (_, name, nodes) => {
    expect(inferred([rows(name)], ...nodes)).toEqual(known(name, 'logits'));
  });

  it('as a guess, where several numbers for each sample are all there is to know', () => {
    expect(inferred([rows('scores')], node('Gemm', ['scores']))).toEqual(guess('scores', 'logits'));
  });

  it('beside another output that says less', () => {
    expect(inferred([rows('embedding', 16), rows('logits')], node('Gemm', ['embedding']))).toEqual(
      known('logits', 'logits'),
    );
  });

  it('beside attention weights, which come out of a softmax too', () => {
    const attention = port('attention', ['N', 4, 'T', 'T']);
    expect(inferred([attention, rows('y')], node('Softmax', ['attention']), node('Gemm', ['y']))).toEqual(
      guess('y', 'logits'),
    );
  });
});

describe('the answer is a number, as a guess', () => {
  it.each<[what: string, dims: Dims]>([
    ['one for each sample', ['N', 1]],
    ['one, in one dimension', ['N']],
    ['one alone', []],
    ['a picture', ['N', 3, 8, 8]],
    ['a row of any length', ['N', 'K']],
    ['of any shape', undefined],
  ])('%s', (_, dims) => {
    expect(inferred([port('y', dims)], node('Gemm', ['y']))).toEqual(guess('y', 'number'));
  });
});

describe('the answer is a class that the model chooses itself', () => {
  const distances = [node('Sqrt', ['scores']), node('ArgMin', ['label'])];

  it.each<[what: string, output: readonly onnx.IValueInfoProto[], nodes: readonly onnx.INodeProto[]]>([
    ['beside distances, of which the smallest decides', [port('label', ['N'], INT64), rows('scores')], distances],
    ['behind them', [rows('scores'), port('label', ['N'], INT64)], distances],
    ['by its name', [port('label', ['N', 1], INT64), rows('scores', 1)], [node('Where', ['label'])]],
    ['by its operator', [port('y', ['N'], INT64)], [node('ArgMax', ['a']), node('Cast', ['y'], { input: ['a'] })]],
  ])('%s', (_, output, nodes) => {
    const name = output.find(({ type }) => type?.tensorType?.elemType === INT64)?.name ?? '';
    expect(inferred(output, ...nodes)).toEqual(known(name, 'class'));
    expect(labelled(output, ...nodes)).toEqual(known(name, 'class'));
  });

  it('but not beside probabilities, which tell more', () => {
    expect(inferred([port('label', ['N'], INT64), rows('y')], node('Softmax', ['y']))).toEqual(
      known('y', 'probabilities'),
    );
  });

  it.each<[what: string, output: onnx.IValueInfoProto]>([
    ['counts', port('counts', ['N'], INT64)],
    ['a class for each pixel', port('labels', ['N', 8, 8], INT64)],
    ['a label in real numbers', port('label', ['N', 'T', 2])],
  ])('and %s are none', (_, output) => {
    expect(inferred([output], node('Where', [output.name ?? '']))?.kind).not.toBe('class');
  });
});

describe('where classes are named, the answer is the output of as many numbers', () => {
  it.each<[what: string, output: readonly onnx.IValueInfoProto[], nodes: readonly onnx.INodeProto[]]>([
    ['the only one', [rows('embedding', 16), rows('y')], [node('Gemm', ['y'])]],
    ['and not a softmax of others', [rows('gates', 4), rows('y')], [node('Softmax', ['gates']), node('Gemm', ['y'])]],
    [
      'and not the place of the largest',
      [port('k', ['N'], INT64), rows('y')],
      [node('ArgMax', ['k']), node('Gemm', ['y'])],
    ],
  ])('%s', (_, output, nodes) => {
    expect(labelled(output, ...nodes)).toEqual(known('y', 'logits'));
  });

  it('as a guess, where there are two or what computes it is no layer', () => {
    expect(labelled([rows('a'), rows('scores')], node('Gemm', ['a']), node('Gemm', ['scores']))).toEqual(
      guess('scores', 'logits'),
    );
    expect(labelled([rows('y')], node('Div', ['y']))).toEqual(guess('y', 'logits'));
  });
});

it('there is none where a model gives whole numbers alone', () => {
  expect(inferred([port('count', ['N'], INT64)], node('Where', ['count']))).toBeUndefined();
});

it('is found in a graph that runs in a circle', () => {
  const circle = [node('Identity', ['y'], { input: ['a'] }), node('Identity', ['a'], { input: ['y'] })];
  expect(inferred([rows('y')], ...circle)).toEqual(guess('y', 'logits'));
});

it('has the names of its classes where a classifier of scikit-learn stores them', () => {
  const strings = ['setosa', 'versicolor'].map((name) => Buffer.from(name));
  const attribute = [{ name: 'classlabels_strings', type: STRINGS, strings }];
  expect(labelsOf({ node: [node('Scaler', ['a']), node('SVMClassifier', ['label', 'y'], { attribute })] })).toEqual([
    'setosa',
    'versicolor',
  ]);
  expect(labelsOf({ node: [node('Softmax', ['y'])] })).toBeUndefined();
  const numbered = (...ints: number[]) =>
    labelsOf({ node: [node('LinearClassifier', ['label', 'y'], { attribute: [{ name: 'classlabels_ints', ints }] })] });
  expect(numbered(3, 7)).toEqual(['3', '7']);
  expect(numbered(0, 1)).toBeUndefined();
});
