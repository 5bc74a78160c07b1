/**
 * `bn-edge add` makes a model of a file from another tool: it runs the file once, describes it as far as the file does,
 * or refuses it in one line.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import onnxProto, { type onnx } from 'onnx-proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addModel } from '../../exporter/model/add.ts';
import { prepareModel } from '../../exporter/served/prepare.ts';
import { describeFile, readCard } from '../../exporter/store/card.ts';
import { serializeSafetensors, UserError } from '../../training/files/index.ts';
import { foreign, identity, text } from '../bundle/fixtures.ts';
import { ninetySeven } from '../edge/fixtures.ts';
import { encodeProto } from '../../training/graph/index.ts';

const { FLOAT, INT64, BFLOAT16 } = onnxProto.onnx.TensorProto.DataType;
const INT = onnxProto.onnx.AttributeProto.AttributeType.INT;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-add-'));
});
afterAll(() => rm(folder, { recursive: true }));

const at = (...path: readonly string[]): string => join(folder, ...path);
const models = () => at('models');

async function saved(file: string, content: Uint8Array | string): Promise<string> {
  await mkdir(join(at(file), '..'), { recursive: true });
  await writeFile(at(file), content);
  return at(file);
}

const port = (name: string, dims: readonly (number | string)[] | undefined, elemType = FLOAT) => ({
  name,
  type: {
    tensorType: {
      elemType,
      ...(dims && { shape: { dim: dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) } }),
    },
  },
});

const stored = (name: string, dims: number[], value = 0.5) => ({
  name,
  dims,
  dataType: FLOAT,
  floatData: new Array<number>(dims.reduce((product, size) => product * size, 1)).fill(value),
});

const model = (graph: onnx.IGraphProto, more: Partial<onnx.IModelProto> = {}): Uint8Array =>
  encodeProto({
    irVersion: 9,
    opsetImport: [{ domain: '', version: 17 }],
    graph: { name: 'g', ...graph },
    ...more,
  });

/** Makes a file of y = x W, with W `[rows, columns]`. */
const product = (input: onnx.IValueInfoProto, output: onnx.IValueInfoProto, rows: number, columns: number) =>
  model({
    input: [input],
    output: [output],
    initializer: [stored('w', [rows, columns])],
    node: [{ opType: 'MatMul', input: [input.name ?? '', 'w'], output: [output.name ?? ''] }],
  });

describe('a file that is added', () => {
  it('keeps its bytes, gets a card, and is called after itself', async () => {
    const file = 'test/bundle/foreign/pytorch.onnx';
    const bytes = await readFile(file);
    const added = await addModel({ file, models: models() });
    expect(added).toEqual({
      name: 'pytorch',
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 1, 12, 12] }],
      outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 3] }],
      output: { name: 'scores', kind: 'logits' },
      batchNormLayers: 2,
      bytes: bytes.length,
      gzipBytes: gzipSync(bytes).length,
      notes: [
        `${join(models(), 'pytorch/card.json')}: "output": "scores" is taken for logits of classes, which the file does not say; "kind" may also be "probabilities" or "multi-label" or "number"`,
        `${join(models(), 'pytorch/card.json')}: "labels": the file names no classes; a list of 3 names makes them known`,
        `${join(models(), 'pytorch/card.json')}: inputs[0].picture: the file does not say how pictures become "image": "[0,1]", "[-1,1]", "raw" or more`,
      ],
    });
    expect((await readdir(join(models(), 'pytorch'))).sort()).toEqual(['card.json', 'model.onnx']);
    expect(await readFile(join(models(), 'pytorch/model.onnx'))).toEqual(bytes);
    expect(await readCard(models(), 'pytorch')).toEqual({
      name: 'pytorch',
      version: '1',
      description: 'pytorch.onnx, written by pytorch 1.13.0',
      explain: false,
      inputs: added.inputs,
      outputs: added.outputs,
      output: added.output,
      files: { 'model.onnx': describeFile(bytes) },
    });
  });

  it.each([
    ['iris-forest', { name: 'probabilities', kind: 'probabilities' }],
    ['iris-logistic', { name: 'probabilities', kind: 'probabilities' }],
  ])('of scikit-learn answers with probabilities: %s', async (name, output) => {
    const added = await addModel({ file: `test/bundle/foreign/${name}.onnx`, models: models() });
    expect(added).toMatchObject({ name, output, batchNormLayers: 0 });
    expect(prepareModel('file', await readFile(join(models(), name, 'model.onnx'))).output).toEqual(output);
  });

  it('of this project brings its classes with it', async () => {
    const added = await addModel({ file: 'models/mnist-cnn', name: 'digits', models: models() });
    expect(added).toMatchObject({ output: { name: 'logits', kind: 'logits' }, batchNormLayers: 3 });
    expect(added.notes).toEqual([expect.stringContaining('picture') as string]);
    expect((await readCard(models(), 'digits')).labels).toEqual('0 1 2 3 4 5 6 7 8 9'.split(' '));
  });

  it.each<[what: string, config: object, last: string, expected: object, note?: string]>([
    [
      'takes the names of the classes',
      {},
      'Identity',
      { labels: ['no', 'yes'], output: { name: 'y', kind: 'logits' } },
    ],
    [
      'of labels that do not exclude each other, too',
      { problem_type: 'multi_label_classification' },
      'Sigmoid',
      { labels: ['no', 'yes'], output: { name: 'y', kind: 'multi-label' } },
    ],
    [
      'whose probabilities the file does not give',
      { problem_type: 'multi_label_classification' },
      'Identity',
      { labels: ['no', 'yes'], output: { name: 'y', kind: 'number' } },
      'followed by a sigmoid, its kind is "multi-label"',
    ],
    [
      'and says where they are others',
      { id2label: { 0: 'one', 1: 'two', 2: 'three' } },
      'Identity',
      { labels: undefined },
      'config.json: labels: expected 2, as "y" is of so many classes, got 3',
    ],
  ])('of Hugging Face brings a config.json: %s', async (_, config, last, expected, note) => {
    const bytes = model({
      input: [port('x', ['N', 4])],
      output: [port('y', ['N', 2])],
      initializer: [stored('w', [4, 2])],
      node: [
        { opType: 'MatMul', input: ['x', 'w'], output: ['z'] },
        { opType: last, input: ['z'], output: ['y'] },
      ],
    });
    const file = await saved('hub/onnx/model.onnx', bytes);
    await saved('hub/config.json', JSON.stringify({ id2label: { 0: 'no', 1: 'yes' }, ...config }));
    const added = await addModel({ file, name: 'hub', models: models(), overwrite: true });
    const { labels, output } = await readCard(models(), 'hub');
    expect({ labels, output }).toMatchObject(expected);
    if (note !== undefined) expect(added.notes.join('\n')).toContain(note);
  });

  it('may take and give numbers of any type', async () => {
    const added = await addModel({ file: await saved('identity.onnx', identity()), models: models() });
    expect(added.inputs.map(({ datatype, shape }) => [datatype, shape])).toEqual(
      ['BOOL', 'UINT8', 'INT64', 'FP16', 'FP64'].map((datatype) => [datatype, [-1]]),
    );
    expect(added.output).toEqual({ name: 'fp16_out', kind: 'number' });
  });

  it('is tried with free sizes that its weights suggest', async () => {
    const bytes = product(port('x', ['rows', 'columns']), port('y', ['rows', 6]), 11, 6);
    const added = await addModel({ file: await saved('free.onnx', bytes), models: models() });
    expect(added.inputs[0]?.shape).toEqual([-1, -1]);
    expect(added.notes.join()).not.toContain('made up');
  });

  it('without shapes is described by what the trial gives, or by none', async () => {
    const open = product(port('x', ['N', 4]), port('y', undefined), 4, 3);
    const known = await addModel({ file: await saved('open-output.onnx', open), models: models() });
    expect(known).toMatchObject({ outputs: [{ shape: [-1, 3] }], output: { name: 'y', kind: 'logits' } });
    const any = model({
      input: [port('x', undefined)],
      output: [port('y', undefined)],
      node: [{ opType: 'Sigmoid', input: ['x'], output: ['y'] }],
    });
    const unknown = await addModel({ file: await saved('any.onnx', any), models: models() });
    expect(unknown.inputs).toEqual([{ name: 'x', datatype: 'FP32' }]);
    expect(unknown.outputs).toEqual([{ name: 'y', datatype: 'FP32' }]);
    expect(unknown.output?.kind).toBe('probabilities');
  });

  it('with one probability is of two classes', async () => {
    const bytes = model({
      input: [port('x', ['N', 1])],
      output: [port('y', ['N', 1])],
      node: [{ opType: 'Sigmoid', input: ['x'], output: ['y'] }],
    });
    const { notes } = await addModel({ file: await saved('binary.onnx', bytes), models: models() });
    expect(notes).toEqual([expect.stringMatching(/: "labels": .*; a list of 2 names makes them known$/)]);
  });

  it('that no made-up sample suits is added, and says so', async () => {
    const bytes = model({
      input: [port('x', ['N', 4]), port('i', ['N'], INT64)],
      output: [port('y', undefined)],
      node: [{ opType: 'Reshape', input: ['x', 'i'], output: ['y'] }],
    });
    const file = await saved('picky.onnx', bytes);
    const odd = await saved('ninety-seven.onnx', ninetySeven());
    for (const path of [file, odd]) {
      const { notes } = await addModel({ file: path, models: models() });
      expect(notes.at(-1)).toMatch(/no sample could be made up that the model takes \(.+\): ask it with a real one$/);
    }
  });

  it('in training mode is refused, or added as the card shall say', async () => {
    const channel = ['scale', 'B', 'mean', 'var'];
    const bytes = model({
      input: [port('x', ['N', 3])],
      output: [port('y', ['N', 3])],
      initializer: channel.map((name) => stored(name, [3])),
      node: [
        {
          name: 'bn1',
          opType: 'BatchNormalization',
          input: ['x', ...channel],
          output: ['y', 'mean2', 'var2'],
          attribute: [{ name: 'training_mode', type: INT, i: 1 }],
        },
      ],
    });
    const file = await saved('training.onnx', bytes);
    await expect(addModel({ file, models: models() })).rejects.toThrow(
      /training\.onnx: expected Batch Norm .* in bn1 \(training_mode 1\); .*"batchNorm" in card\.json \(add: --batch-norm\)/,
    );
    expect(await readdir(models())).not.toContain('training');
    const asIs = await addModel({ file, models: models(), batchNorm: 'as-is' });
    expect(asIs).toMatchObject({ batchNormLayers: 0 });
    expect(asIs.notes.at(-1)).toContain("1 of 1 Batch Norm layers normalize with the mini-batch's own statistics");
    expect(await readCard(models(), 'training')).toMatchObject({ batchNorm: 'as-is' });
    const inference = await addModel({ file, name: 'inference', models: models(), batchNorm: 'inference' });
    expect(inference).toMatchObject({ batchNormLayers: 1 });
    expect(inference.notes.join()).not.toContain('mini-batch');
  });

  it('whose samples do not come first says that it gets no switch', async () => {
    const channel = ['scale', 'B', 'mean', 'var'];
    const bytes = model({
      input: [port('x', ['time', 4, 'batch'])],
      output: [port('y', ['time', 4, 'batch'])],
      initializer: channel.map((name) => stored(name, [4])),
      node: [{ name: 'bn1', opType: 'BatchNormalization', input: ['x', ...channel], output: ['y'] }],
    });
    const { notes } = await addModel({ file: await saved('sequence-first.onnx', bytes), models: models() });
    expect(notes.at(-1)).toContain('"explain": no switch: where the samples are in what bn1 gets cannot be told');
  });

  it('without Batch Norm says that exporters fold it, if there is something to fold it into', async () => {
    const bytes = product(port('x', ['N', 4]), port('y', ['N', 6]), 4, 6);
    const { notes } = await addModel({ file: await saved('folded.onnx', bytes), models: models() });
    expect(notes.at(-1)).toContain(
      'folded/model.onnx: it has no Batch Norm layers: exporters fold them into the layer before',
    );
  });
});

describe('the name of a model', () => {
  const small = product(port('x', ['N', 2]), port('y', ['N', 2]), 2, 2);

  it.each([
    ['names/My Café model (2).onnx', 'My-Cafe-model-2'],
    ['names/resnet18.v2.onnx', 'resnet18.v2'],
    ['names/resnet/model.onnx', 'resnet'],
    ['names/.../Model.ONNX', 'Model'],
    [`names/${'x'.repeat(80)}.onnx`, 'x'.repeat(64)],
  ])('of %s is %s', async (file, name) => {
    expect(await addModel({ file: await saved(file, small), models: at('names-of') })).toMatchObject({ name });
  });

  it('is that of the folder with the only file', async () => {
    await saved('flowers/model.onnx', small);
    await saved('flowers/labels.txt', 'a');
    expect(await addModel({ file: at('flowers'), models: at('folders') })).toMatchObject({ name: 'flowers' });
  });

  it.each([
    ['one that is a path', '../x', `--name: expected letters, digits, '.', '_' and '-', got "../x"`],
    ['an empty one', '', `--name: expected letters, digits, '.', '_' and '-', got ""`],
  ])('is not %s', async (_, name, message) => {
    const file = await saved('named.onnx', small);
    await expect(addModel({ file, name, models: at('none') })).rejects.toThrow(new UserError(message));
  });

  it('has to be said where nothing of the file can be one', async () => {
    const file = await saved('日本語.onnx', small);
    await expect(addModel({ file, models: at('none') })).rejects.toThrow(
      new UserError(`--name: expected a name for ${file}, of letters and digits, got none`),
    );
  });

  it('is never taken from a model that is there', async () => {
    const file = await saved('twice.onnx', small);
    await addModel({ file, models: at('twice') });
    await saved('twice/twice/card.json', '{"labels": ["a", "b"]}');
    await expect(addModel({ file, models: at('twice') })).rejects.toThrow(
      `${at('twice/twice')}: expected no model of that name (--name chooses another, --overwrite replaces it), got one`,
    );
    expect((await readCard(at('twice'), 'twice')).labels).toEqual(['a', 'b']);
    expect(await addModel({ file, name: 'other', models: at('twice') })).toMatchObject({ name: 'other' });
    await saved('twice/twice/notes.md', 'mine');
    await addModel({ file, models: at('twice'), overwrite: true });
    expect((await readCard(at('twice'), 'twice')).labels).toBeUndefined();
    expect(await readFile(at('twice/twice/notes.md'), 'utf8')).toBe('mine');
  });
});

describe('a file that is refused', () => {
  const relu = { opType: 'Relu', input: ['x'], output: ['y'] };
  const external = model({
    input: [port('x', ['N', 4])],
    output: [port('y', ['N', 3])],
    initializer: [
      {
        name: 'w',
        dims: [4, 3],
        dataType: FLOAT,
        dataLocation: onnxProto.onnx.TensorProto.DataLocation.EXTERNAL,
        externalData: [{ key: 'location', value: 'w.data' }],
      },
    ],
    node: [{ opType: 'MatMul', input: ['x', 'w'], output: ['y'] }],
  });

  it.each<[what: string, content: Uint8Array | string, message: RegExp]>([
    ['empty', '', /: expected an ONNX model, got an empty file$/],
    ['a text', 'Hello', /: expected an ONNX model, got 5 bytes that are none$/],
    [
      'a pointer of Git LFS',
      'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n',
      /: expected an ONNX model, got a pointer of Git LFS: git lfs pull fetches the file$/,
    ],
    [
      'a web page',
      '\n<!DOCTYPE html>\n<html lang="en">',
      /: expected an ONNX model, got a web page, as a link to a page about the file gives$/,
    ],
    [
      'a ZIP archive',
      'PK\u0003\u0004abc',
      /got a ZIP archive, such as a \.pt of PyTorch: torch\.onnx\.export writes ONNX$/,
    ],
    ['a table', 'a,b\r\n1,2\r\n', /: expected an ONNX model, got a table: bn-edge train takes it$/],
    ['JSON', '{ "a": 1 }', /: expected an ONNX model, got JSON$/],
    ['a checkpoint', serializeSafetensors(new Map()), /got a safetensors checkpoint: bn-edge export takes it$/],
    ['half a model', identity().subarray(0, 40), /: expected an ONNX model, got 40 bytes that are none$/],
    ['for text', text(), /: expected an output that is a tensor of numbers, got texts$/],
    ['of dice', foreign('RandomNormalLike'), /: expected the same answer to the same numbers, .*draws random numbers/],
    [
      'that takes nothing',
      model({
        input: [port('x', ['N', 0])],
        output: [port('y', ['N', 0])],
        node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
      }),
      /: x: expected sizes of at least 1, got 0$/,
    ],
    [
      'too large to be tried',
      model({
        input: [port('x', ['N', 2 ** 26])],
        output: [port('y', ['N', 2 ** 26])],
        node: [{ opType: 'Relu', input: ['x'], output: ['y'] }],
      }),
      /: the runtime cannot run it: its inputs have more than 16777216 numbers$/,
    ],
    ['with an unknown operator', foreign('Frobnicate'), /: the runtime cannot run it: .*Frobnicate/],
    [
      'with an operator of another domain',
      foreign('Frobnicate', 'com.example'),
      /: the runtime cannot run it: .*com\.example/,
    ],
    [
      'of an opset to come',
      model(
        { input: [port('x', ['N', 4])], output: [port('y', ['N', 4])], node: [relu] },
        { opsetImport: [{ version: 99 }] },
      ),
      /: the runtime cannot run it: .*opset 99/i,
    ],
    [
      'of an IR to come',
      model({ input: [port('x', ['N', 4])], output: [port('y', ['N', 4])], node: [relu] }, { irVersion: 99 }),
      /: the runtime cannot run it: .*IR version: 99/i,
    ],
    [
      'in bfloat16',
      model({ input: [port('x', ['N', 4], BFLOAT16)], output: [port('y', ['N', 4], BFLOAT16)], node: [relu] }),
      /: x: expected a tensor of numbers, got a tensor of BFLOAT16$/,
    ],
    [
      'with weights in bfloat16',
      model({
        input: [port('x', ['N', 4])],
        output: [port('y', ['N', 3])],
        initializer: [{ name: 'w', dims: [4, 3], dataType: BFLOAT16, rawData: new Uint8Array(24) }],
        node: [
          { opType: 'Cast', input: ['x'], output: ['b'], attribute: [{ name: 'to', type: INT, i: BFLOAT16 }] },
          { opType: 'MatMul', input: ['b', 'w'], output: ['c'] },
          { opType: 'Cast', input: ['c'], output: ['y'], attribute: [{ name: 'to', type: INT, i: FLOAT }] },
        ],
      }),
      /: the runtime cannot run it: it has no MatMul \(of opset 13\) for the types that it has here$/,
    ],
    [
      'with shapes that do not fit',
      product(port('x', ['N', 4]), port('y', ['N', 3]), 5, 3),
      /: the runtime cannot run it: .+/,
    ],
    [
      'without its weights',
      external,
      /: tensor "w": its numbers are in "w\.data", which belongs beside the model: .*no such file/,
    ],
  ])('is %s', async (what, content, message) => {
    const file = await saved(`refused/${what}.onnx`, content);
    const error: unknown = await addModel({ file, name: 'refused', models: at('nothing') }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.startsWith(file)).toBe(true);
    expect((error as Error).message).not.toMatch(/\n|onnxruntime::|\bstd::|\.cc\b|const &/);
    await expect(readdir(at('nothing'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['is not there', 'missing.onnx', /missing\.onnx: cannot read: no such file or directory$/],
    [
      'is a folder without one',
      'without',
      /without: expected an \.onnx file, or a folder with one, got a folder without$/,
    ],
    ['is a folder with several', 'several', /several: expected one \.onnx file, got "a\.onnx", "b\.onnx": say which$/],
  ])('%s', async (_, path, message) => {
    await saved('without/readme.md', '');
    await cp('test/bundle/foreign/pytorch.onnx', at('several/a.onnx'));
    await cp('test/bundle/foreign/pytorch.onnx', at('several/b.onnx'));
    await expect(addModel({ file: at(path), models: at('nothing') })).rejects.toThrow(message);
  });
});
