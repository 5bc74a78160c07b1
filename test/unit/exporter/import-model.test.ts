/**
 * A file of another program becomes one file of numeric tensors: weights beside it, dictionaries and texts are
 * converted.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto, { type onnx } from 'onnx-proto';
import { afterAll, describe, expect, it } from 'vitest';
import { withExternalData } from '../../../exporter/served/external-data.ts';
import { importModel } from '../../../exporter/served/import-model.ts';
import { prepareModel } from '../../../exporter/served/prepare.ts';
import { UserError } from '../../../training/files/index.ts';
import { model, node, port, stored } from '../../ort/onnx-build.ts';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;
const { FLOAT, STRING } = TensorProto.DataType;
const { DEFAULT, EXTERNAL } = TensorProto.DataLocation;

const folder = mkdtempSync(join(tmpdir(), 'bn-edge-import-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const path = join(folder, 'models/model.onnx');
mkdirSync(join(folder, 'models/weights'), { recursive: true });
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
writeFileSync(join(folder, 'models/a.data'), floats(9, 9, 1, 2, 3));
writeFileSync(join(folder, 'models/weights/b.data'), floats(4, 5));
writeFileSync(join(folder, 'outside.data'), floats(1, 2, 3));
symlinkSync(join(folder, 'outside.data'), join(folder, 'models/link.data'));

type Entries = Readonly<Record<string, string>>;

const external = (
  name: string,
  dims: readonly number[],
  entries: Entries,
  dataType: number = FLOAT,
): onnx.ITensorProto => ({
  name,
  dims: [...dims],
  dataType,
  dataLocation: EXTERNAL,
  externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
});

/** Builds y = (x + a) · b, where b is the value of a constant node. */
const two = (a: onnx.ITensorProto, b: onnx.ITensorProto) =>
  model({
    input: [port('x', ['N', 3])],
    output: [port('y')],
    initializer: [a],
    node: [
      node('Constant', [], ['b'], { value: b }),
      node('Add', ['x', a.name ?? ''], ['s']),
      node('Mul', ['s', 'b'], ['y']),
    ],
  });

const inA = { location: 'a.data', offset: '8', length: '12' };
const good = (entries: Entries) => two(external('a', [3], entries), stored('', [2, 2, 2]));

describe('weights beside a file', () => {
  it('of several files, with offsets or without, in constants as well, are taken into it', () => {
    const bytes = two(external('a', [3], inA), external('', [1, 2], { location: 'weights/b.data' }));
    const { graph } = ModelProto.decode(withExternalData(path, bytes));
    expect(graph?.initializer?.[0]).toMatchObject({
      name: 'a',
      rawData: Buffer.from(floats(1, 2, 3)),
      dataLocation: 0,
    });
    expect(graph?.node?.[0]?.attribute?.[0]?.t).toMatchObject({ rawData: Buffer.from(floats(4, 5)), externalData: [] });
    expect(graph?.node?.map(({ opType }) => opType)).toEqual(['Constant', 'Add', 'Mul']);
  });

  it('of PyTorch become one file, which says so; one without is left as it is', () => {
    const file = 'test/fixtures/exporters/pytorch/model.onnx';
    const { bytes, remarks } = importModel(file, readFileSync(file));
    expect(remarks).toEqual(['the weights that lay beside the file are in it now']);
    expect(ModelProto.decode(bytes).graph?.initializer?.every(({ dataLocation }) => dataLocation === DEFAULT)).toBe(
      true,
    );
    const whole = two(stored('a', [1, 2, 3]), stored('', [1]));
    expect(importModel('m', whole)).toEqual({ bytes: whole, remarks: [] });
  });

  it.each<[what: string, bytes: Uint8Array, message: string]>([
    [
      'that are not there',
      good({ location: 'c.data' }),
      'tensor "a": its numbers are in "c.data", which belongs beside the model: ',
    ],
    [
      'in a folder above',
      good({ location: '../outside.data' }),
      `tensor "a": expected a file in the model's folder, got "../outside.data"`,
    ],
    [
      'in a folder above, in other words',
      good({ location: 'weights\\..\\..\\outside.data' }),
      `expected a file in the model's folder`,
    ],
    ['anywhere', good({ location: join(folder, 'outside.data') }), `expected a file in the model's folder`],
    [
      'behind a link that leads out',
      good({ location: 'link.data' }),
      `tensor "a": expected a file in the model's folder, got "link.data"`,
    ],
    ['in a folder', good({ location: 'weights' }), `expected a file in the model's folder`],
    ['without a place', good({ offset: '0', location: '' }), `expected a file in the model's folder, got ""`],
    ['longer than their shape', good({ location: 'a.data' }), 'tensor "a": expected 12 bytes in "a.data", got 20'],
    [
      'that end behind the file',
      good({ ...inA, offset: '12' }),
      'tensor "a": expected 24 bytes of "a.data", got a file of 20',
    ],
    ['at no offset', good({ ...inA, offset: '-8' }), 'tensor "a": offset: expected a whole number, got "-8"'],
    [
      'of texts',
      two(external('a', [3], inA, STRING), stored('', [1])),
      'tensor "a": expected numbers in the file beside the model',
    ],
  ])('%s are refused', (_, bytes, message) => {
    const error = (() => {
      try {
        return withExternalData(path, bytes);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(`${path}: ${message.startsWith('tensor') ? message : 'tensor "a": '}`);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('\n');
  });
});

const text = (name: string, dims: readonly (number | string)[]) => port(name, dims, STRING);
const encoder = (from: string, to: string, ...categories: string[]): onnx.INodeProto => ({
  ...node('OneHotEncoder', [from], [to], {}, 'ai.onnx.ml'),
  attribute: [
    {
      name: 'cats_strings',
      type: AttributeProto.AttributeType.STRINGS,
      strings: categories.map((category) => Buffer.from(category)),
    },
  ],
});

describe('outputs', () => {
  const sequence = { sequenceType: { elemType: { tensorType: { elemType: FLOAT } } } };

  it('that are dictionaries become the tensor that they are made of; sequences and texts are left out with what makes them', () => {
    const file = model({
      input: [port('x', ['N', 3])],
      output: [
        port('y'),
        { name: 'zipped', type: { sequenceType: { elemType: { mapType: { keyType: 7 } } } } },
        { name: 'list', type: sequence },
        text('words', ['N']),
      ],
      node: [
        node('Softmax', ['x'], ['p']),
        node('ZipMap', ['p'], ['zipped'], { classlabels_int64s: [3, 4, 5] }, 'ai.onnx.ml'),
        node('SequenceConstruct', ['x'], ['list']),
        node('LabelEncoder', ['x'], ['words'], {}, 'ai.onnx.ml'),
        node('Relu', ['x'], ['y']),
      ],
    });
    const { bytes, remarks } = importModel('m', file);
    const { graph } = ModelProto.decode(bytes);
    expect(graph?.output?.map(({ name }) => name)).toEqual(['y', 'zipped']);
    expect(graph?.output?.[1]?.type?.tensorType?.shape?.dim?.map(({ dimValue }) => Number(dimValue))).toEqual([0, 3]);
    expect(graph?.node?.map(({ opType, output }) => [opType, output?.[0]])).toEqual([
      ['Softmax', 'p'],
      ['Relu', 'y'],
      ['Identity', 'zipped'],
    ]);
    expect(remarks).toEqual([
      'the output "zipped" is a list of dictionaries: served as the tensor that it is made of',
      'the output "list" is a sequence: not served',
      'the output "words" is texts: not served',
    ]);
    expect(prepareModel('m', file).remarks.slice(0, 3)).toEqual(remarks);
  });

  it('of which none is left are refused', () => {
    const file = model({
      input: [port('x', ['N', 3])],
      output: [{ name: 'list', type: sequence }],
      node: [node('SequenceConstruct', ['x'], ['list'])],
    });
    expect(() => importModel('m', file)).toThrow('m: expected an output that is a tensor of numbers, got a sequence');
  });
});

describe('inputs that are texts', () => {
  it('are columns of one table with the others, whose categories the encoders know', () => {
    const file = model({
      input: [port('age', ['N', 1]), text('plan', ['N', 1]), text('place', ['N', 2])],
      output: [port('y')],
      initializer: [stored('second', [1], [1], TensorProto.DataType.INT64)],
      node: [
        node('Concat', ['plan', 'place'], ['all'], { axis: 1 }),
        encoder('plan', 'h1', 'free', 'pro'),
        node('ArrayFeatureExtractor', ['all', 'second'], ['town'], {}, 'ai.onnx.ml'),
        encoder('town', 'h2', 'Bern'),
        node('LabelEncoder', ['place'], ['h3'], {}, 'ai.onnx.ml'),
        encoder('place', 'h4', 'Chur', 'Bern'),
        node('Relu', ['age'], ['y']),
      ],
    });
    const { bytes, columns } = importModel('m', file);
    expect(columns).toEqual([
      { kind: 'numeric', name: 'age', fill: null },
      { kind: 'categorical', name: 'plan', categories: ['free', 'pro'], fill: null },
      { kind: 'categorical', name: 'place_0', categories: ['Bern', 'Chur'], fill: null },
      { kind: 'categorical', name: 'place_1', categories: ['Chur', 'Bern'], fill: null },
    ]);
    const { graph } = ModelProto.decode(bytes);
    expect(graph?.input?.map(({ name }) => name)).toEqual(['features']);
    expect(graph?.input?.[0]?.type?.tensorType?.shape?.dim?.map(({ dimValue }) => Number(dimValue))).toEqual([0, 4]);
  });

  it.each<[what: string, graph: onnx.IGraphProto, message: string]>([
    [
      'without categories',
      { input: [text('words', ['N', 1])], node: [node('TfIdfVectorizer', ['words'], ['y'])] },
      'm: "words": expected texts of which the file knows the categories (OneHotEncoder, OrdinalEncoder), got others',
    ],
    [
      'of another shape',
      { input: [text('words', ['N', 'length'])], node: [encoder('words', 'y', 'a')] },
      'm: "words": expected a column of a table, [N, 1], beside others that are texts, got another shape',
    ],
  ])('%s are refused with what to do', (_, graph, message) => {
    expect(() => importModel('m', model({ output: [port('y')], ...graph }))).toThrow(message);
  });

  it('are refused by a build, which says what to do', () => {
    const file = model({ input: [text('words', ['N', 1])], output: [port('y')], node: [encoder('words', 'y', 'a')] });
    expect(() => prepareModel('m', file)).toThrow(
      'm: words: expected a tensor of numbers, got texts: bn-edge add <file> makes a table',
    );
  });
});
