/**
 * Small ONNX models for the Worker's tests, written with fixed weights so that no test depends on a training run:
 *
 *     digits      pixels FP32 [N, 1, 28, 28] -> logits [N, 10], with a Batch Norm layer; versions 3 and 2
 *     identity    one input and output per datatype, passed through
 *     photo       image UINT8 [N, 3, 4, 6] -> probabilities [N, 3]: the share of each colour, as a foreign file
 *     pytorch     image FP32 [N, 1, 12, 12] -> scores [N, 3]: what torch.onnx.export wrote (see foreign/pytorch.py)
 *     iris-forest, iris-logistic   X FP32 [N, 4] -> label INT64 [N], probabilities [N, 3]: scikit-learn's (see foreign/iris.py)
 *     arithmetic  left [N], right [M] -> sum, quotient: an operator can refuse operands that their declarations allow
 *     customers   row FP32 [N, 6] -> logits [N, 2], with a Batch Norm layer: a table with a category, numbers, a date and gaps
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Column } from '../../training/columns/column.ts';
import { type PicturePreparation, plainPreparation } from '../../training/pictures/index.ts';
import onnxProto, { type onnx } from 'onnx-proto';
import { encodeProto } from '../../training/graph/index.ts';

const { FLOAT, BOOL, UINT8, INT64, FLOAT16, DOUBLE, STRING } = onnxProto.onnx.TensorProto.DataType;

/** Writes the fixture models into an emptied folder laid out as `models/` is. */
export function writeFixtures(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const write = (name: string, file: string, bytes: Uint8Array | string): void => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, file), bytes);
  };
  const labels = 'zero one two three four five six seven eight nine'.split(' ');
  const logits = { name: 'logits', kind: 'logits' };
  const inputs = [{ name: 'pixels', datatype: 'FP32', shape: [-1, 1, 28, 28], picture: drawings }];
  const explained = { labels, output: logits, explain: true, inputs };
  write('digits', 'model.onnx', digits());
  write('digits', 'card.json', JSON.stringify({ version: '3', description: 'a fixture', ...explained }));
  write('digits/versions/2', 'model.onnx', digits(4));
  write(
    'digits/versions/2',
    'card.json',
    JSON.stringify({ version: '2', description: 'the fixture before', ...explained }),
  );
  write('identity', 'model.onnx', identity());
  write('arithmetic', 'model.onnx', arithmetic());
  write('photo', 'model.onnx', photo());
  for (const name of ['pytorch', 'iris-forest', 'iris-logistic'])
    write(name, 'model.onnx', readFileSync(join(import.meta.dirname, `foreign/${name}.onnx`)));
  const probabilities = { name: 'probabilities', kind: 'probabilities' };
  write('photo', 'card.json', JSON.stringify({ output: probabilities }));
  write('pytorch', 'card.json', JSON.stringify({ output: { name: 'scores', kind: 'logits' }, explain: true }));
  write('iris-logistic', 'card.json', JSON.stringify({ output: probabilities }));
  const irises = ['setosa', 'versicolor', 'virginica'];
  write('iris-forest', 'card.json', JSON.stringify({ labels: irises, output: probabilities }));
  writeCustomers(folder);
}

/** Writes the model of a table into the folder, beside the models that are already there. */
export function writeCustomers(folder: string): void {
  const to = join(folder, 'customers');
  mkdirSync(to, { recursive: true });
  const rows = { name: 'row', datatype: 'FP32', shape: [-1, 6], columns: customerColumns };
  const output = { name: 'logits', kind: 'logits' };
  const card = { version: '1', labels: ['stays', 'leaves'], output, explain: true, inputs: [rows] };
  writeFileSync(join(to, 'model.onnx'), customers());
  writeFileSync(join(to, 'card.json'), JSON.stringify(card));
}

const customerColumns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro', 'Ünïcode, "quoted"'], typical: 'Free', fill: null },
  { kind: 'numeric', name: 'seats', range: [1, 500], typical: 12, fill: null },
  { kind: 'numeric', name: 'spend', range: [0, 10_000], typical: 180.5, fill: 180.5, missing: 'median', unit: '$' },
  {
    kind: 'date',
    name: 'since',
    parts: ['year', 'weekday'],
    order: 'YMD',
    years: [2019, 2024],
    range: ['2019-01-02', '2024-12-30'],
    typical: '2021-06-15',
    fill: 2021,
    missing: 'median',
  },
];

const drawings: PicturePreparation = { ...plainPreparation({ rows: 28, columns: 28 }, 1), drawing: true };

/** @param seed determines the last bias, in which versions differ */
export function digits(seed = 3): Uint8Array {
  return model({
    name: 'digits',
    input: [port('pixels', FLOAT, ['N', 1, 28, 28])],
    output: [port('logits', FLOAT, ['N', 10])],
    initializer: [
      initializer('kernel', [4, 1, 3, 3], weights(1, 36)),
      initializer('scale', [4], [1, 0.5, 2, 1.5]),
      initializer('B', [4], [0, 1, -1, 0.5]),
      initializer('input_mean', [4], [10, -5, 20, 0]),
      initializer('input_var', [4], [2500, 900, 4000, 100]),
      initializer('weight', [10, 4], weights(2, 40)),
      initializer('bias', [10], weights(seed, 10)),
    ],
    node: [
      node('Conv', ['pixels', 'kernel'], ['z']),
      node('BatchNormalization', ['z', 'scale', 'B', 'input_mean', 'input_var'], ['zt']),
      node('Relu', ['zt'], ['a']),
      node('GlobalAveragePool', ['a'], ['pooled']),
      node('Flatten', ['pooled'], ['features']),
      node('Gemm', ['features', 'weight', 'bias'], ['logits'], { transB: 1 }),
    ],
  });
}

export function identity(): Uint8Array {
  const types = { bool: BOOL, uint8: UINT8, int64: INT64, fp16: FLOAT16, fp64: DOUBLE };
  const names = Object.entries(types);
  return model({
    name: 'identity',
    input: names.map(([name, type]) => port(name, type, ['N'])),
    output: names.map(([name, type]) => port(`${name}_out`, type, ['N'])),
    node: names.map(([name]) => node('Identity', [name], [`${name}_out`])),
  });
}

/** Builds a model that fills gaps, as exported files do, and divides by the columns' ranges. */
function customers(): Uint8Array {
  return model({
    name: 'customers',
    input: [port('row', FLOAT, ['N', 6])],
    output: [port('logits', FLOAT, ['N', 2])],
    initializer: [
      initializer('fill', [6], [0, 12, 180.5, 2021, 0, 0]),
      initializer('centre', [6], [1, 250, 5000, 2021, 0, 0]),
      initializer('span', [6], [1, 250, 5000, 3, 1, 1]),
      initializer('hidden_weight', [8, 6], weights(5, 48)),
      initializer('hidden_bias', [8], weights(6, 8)),
      initializer('scale', [8], [1, 0.5, 2, 1.5, 1, 0.5, 2, 1.5]),
      initializer('B', [8], weights(7, 8)),
      initializer('input_mean', [8], weights(8, 8)),
      initializer('input_var', [8], [1, 2, 0.5, 1, 1, 2, 0.5, 1]),
      initializer('weight', [2, 8], weights(9, 16)),
      initializer('bias', [2], weights(10, 2)),
    ],
    node: [
      node('IsNaN', ['row'], ['missing']),
      node('Where', ['missing', 'fill', 'row'], ['filled']),
      node('Sub', ['filled', 'centre'], ['centred']),
      node('Div', ['centred', 'span'], ['scaled']),
      node('Gemm', ['scaled', 'hidden_weight', 'hidden_bias'], ['z'], { transB: 1 }),
      node('BatchNormalization', ['z', 'scale', 'B', 'input_mean', 'input_var'], ['zt']),
      node('Relu', ['zt'], ['a']),
      node('Gemm', ['a', 'weight', 'bias'], ['logits'], { transB: 1 }),
    ],
  });
}

function arithmetic(): Uint8Array {
  return model({
    name: 'arithmetic',
    input: [port('left', FLOAT, ['N']), port('right', FLOAT, ['M'])],
    output: [port('sum', FLOAT, ['K']), port('quotient', FLOAT, ['K'])],
    node: [node('Add', ['left', 'right'], ['sum']), node('Div', ['left', 'right'], ['quotient'])],
  });
}

function photo(): Uint8Array {
  const type = onnxProto.onnx.AttributeProto.AttributeType.INT;
  const cast = { ...node('Cast', ['image'], ['real']), attribute: [{ name: 'to', type, i: FLOAT }] };
  return model({
    name: 'photo',
    input: [port('image', UINT8, ['N', 3, 4, 6])],
    output: [port('probabilities', FLOAT, ['N', 3])],
    node: [
      cast,
      node('GlobalAveragePool', ['real'], ['pooled']),
      node('Flatten', ['pooled'], ['colours']),
      node('LpNormalization', ['colours'], ['probabilities'], { p: 1, axis: 1 }),
    ],
  });
}

/** Builds a model that takes text, as a tokenizer's model does. */
export function text(): Uint8Array {
  return model({
    input: [port('words', STRING, ['N'])],
    output: [port('out', STRING, ['N'])],
    node: [node('Identity', ['words'], ['out'])],
  });
}

/** Builds a model with the outputs of scikit-learn's converted classifiers: a sequence of maps. */
export function sequence(): Uint8Array {
  const value = port('', FLOAT, []).type ?? null;
  const map = { mapType: { keyType: INT64, valueType: value } };
  return model({
    input: [port('x', FLOAT, ['N', 4])],
    output: [{ name: 'output_probability', type: { sequenceType: { elemType: map } } }],
    node: [{ ...node('ZipMap', ['x'], ['output_probability']), domain: 'ai.onnx.ml' }],
  });
}

/** Builds a model of one operator. */
export function foreign(opType: string, domain = ''): Uint8Array {
  return model(
    {
      name: 'foreign',
      input: [port('x', FLOAT, ['N'])],
      output: [port('y', FLOAT, ['N'])],
      node: [{ ...node(opType, ['x'], ['y']), domain }],
    },
    domain === '' ? [] : [{ domain, version: 1 }],
  );
}

function model(graph: onnx.IGraphProto, otherOperators: onnx.IOperatorSetIdProto[] = []): Uint8Array {
  const opsetImport = [{ domain: '', version: 17 }, ...otherOperators];
  return encodeProto({ irVersion: 9, opsetImport, graph });
}

/** Deterministic values in [-0.5, 0.5). */
function weights(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (Math.imul(i + 1 + seed * 1000, 2654435761) >>> 8) / 2 ** 24 - 0.5);
}

function initializer(name: string, dims: number[], floatData: number[]): onnx.ITensorProto {
  return { name, dims, dataType: FLOAT, floatData };
}

function port(name: string, elemType: number, dims: readonly (number | string)[]): onnx.IValueInfoProto {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

function node(opType: string, input: string[], output: string[], ints: Record<string, number> = {}): onnx.INodeProto {
  const type = onnxProto.onnx.AttributeProto.AttributeType.INT;
  return { opType, input, output, attribute: Object.entries(ints).map(([name, i]) => ({ name, type, i })) };
}
