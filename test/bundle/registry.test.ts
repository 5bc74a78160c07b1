import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { zipSync } from 'fflate';
import { describeFile } from '../../exporter/store/card.ts';
import { readModels } from '../../exporter/store/registry.ts';
import { table } from '../edge/fixtures.ts';
import { UserError } from '../../training/files/index.ts';
import { npy } from '../unit/data/npy-file.ts';
import { digits, identity, sequence, text } from './fixtures.ts';

/** Makes a folder with the given files, as path and content, for as long as the test runs. */
function folderOf(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'bn-edge-registry-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const model = identity();

const refused: [what: string, files: Record<string, string | Uint8Array>, message: RegExp][] = [
  ['an empty folder', {}, /expected a model, got none; bn-edge export .* or bn-edge add <file> makes one$/],
  ['a folder of loose files', { 'notes.md': '' }, /expected a model, got none; .* makes one$/],
  [
    'a loose model and no other',
    { 'net.onnx': model },
    /net\.onnx: expected it in a folder of its own: bn-edge add .*net\.onnx$/,
  ],
  [
    'a name with a space',
    { 'a b/model.onnx': model },
    /a b: expected the name of a model .*, got "a b"; rename the folder or move it elsewhere$/,
  ],
  [
    'a folder without model',
    { 'a/card.json': '{}' },
    /a: expected a file model\.onnx, got none; bn-edge add a\.onnx makes such a folder$/,
  ],
  ['a card that is not JSON', { 'a/model.onnx': model, 'a/card.json': '{' }, /card\.json: expected JSON, got "\{"$/],
  [
    'an answer of an unknown kind',
    { 'a/model.onnx': model, 'a/card.json': '{"output":{"name":"y","kind":"odds"}}' },
    /kind/,
  ],
  ['a switch that is a word', { 'a/model.onnx': model, 'a/card.json': '{"explain":"yes"}' }, /card\.json: .*explain/],
  [
    'labels that are a string',
    { 'a/model.onnx': model, 'a/card.json': '{"labels":"0"}' },
    /a\/card\.json: labels: expected a list, got "0"$/,
  ],
  [
    'another version without model',
    { 'a/model.onnx': model, 'a/versions/1/card.json': '{}' },
    /1: expected a file model\.onnx, got none; /,
  ],
  [
    'another version whose card disagrees',
    { 'a/model.onnx': model, 'a/versions/7/model.onnx': model },
    /versions\/7\/card\.json: version: expected 7, got 1$/,
  ],
  [
    'the same version twice',
    { 'a/model.onnx': model, 'a/versions/1/model.onnx': model },
    /versions\/1: expected a version besides the current one, got it again$/,
  ],
  [
    'a version with a space',
    { 'a/model.onnx': model, 'a/versions/1 2/model.onnx': model },
    /1 2: expected the name of .* version .*, got "1 2"; rename/,
  ],
  [
    'a card whose version leads elsewhere',
    { 'a/model.onnx': model, 'a/card.json': '{"version": "../b"}' },
    /card\.json: version: expected letters, .*, got "\.\.\/b"$/,
  ],
  [
    'a file that is no model',
    { 'a/model.onnx': 'Hello' },
    /model\.onnx: expected an ONNX model, got 5 bytes that are none$/,
  ],
  ['an empty model', { 'a/model.onnx': '' }, /model\.onnx: expected an ONNX model, got an empty file$/],
  ['texts out', { 'a/model.onnx': text() }, /model\.onnx: expected an output that is a tensor of numbers, got texts$/],
];

const samples = (descr: string, data: Uint8Array | Float32Array | Float64Array, name = 'x') =>
  zipSync({ [`${name}.npy`]: npy(`'${descr}'`, `(${data.length},)`, data) });

const badSamples: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ['no archive', Buffer.from('Hello'), /a\/samples\.npz: expected /],
  ['another array', samples('|u1', new Uint8Array(3), 'y'), /samples\.npz: expected an array "x", got "y"$/],
  ['numbers of another type', samples('<f8', new Float64Array(3)), /npz: x: expected float32 or uint8, got float64$/],
];

describe('a folder of models', () => {
  it('takes weights that lie beside a file, serves dictionaries as their tensor, and says what it has changed', () => {
    const file = (path: string) => readFileSync(`test/fixtures/exporters/${path}`);
    const weights = {
      'a/model.onnx': file('pytorch/model.onnx'),
      'a/model.onnx.data': file('pytorch/model.onnx.data'),
    };
    const folder = folderOf({ ...weights, 'b/model.onnx': sequence() });
    const { models, notes } = readModels(folder);
    expect(models[0]?.files.model.byteLength).toBeGreaterThan(weights['a/model.onnx'].byteLength);
    const remark = 'the output "output_probability" is a list of dictionaries: served as the tensor that it is made of';
    expect(models[1]?.about.remarks).toEqual([remark]);
    expect(notes).toEqual([`${join(folder, 'b')}: ${remark}`]);
  });

  it('has every model, sorted by name, as its card and its file describe it', () => {
    const card = { labels: ['no', 'yes'], output: { name: 'fp64_out', kind: 'logits' }, explain: true };
    const folder = folderOf({ 'b/model.onnx': digits(), 'a/model.onnx': model, 'a/card.json': JSON.stringify(card) });
    expect(readModels(folder).models.map(({ about }) => ({ ...about, batchNorm: about.batchNorm.length }))).toEqual([
      {
        name: 'a',
        path: 'a',
        version: '1',
        ...card,
        batchNorm: 0,
        noTwin: 'it has no Batch Norm layers',
        remarks: ['no switch at the Batch Norm layers: it has no Batch Norm layers'],
      },
      // Without a card, the name of the output determines its kind.
      { name: 'b', path: 'b', version: '1', output: { name: 'logits', kind: 'logits' }, explain: false, batchNorm: 1 },
    ]);
  });

  it('leaves open what an output is that neither card nor file tells', () => {
    const folder = folderOf({ 'a/model.onnx': readFileSync('test/bundle/foreign/pytorch.onnx') });
    expect(readModels(folder).models[0]?.about).not.toHaveProperty('output');
  });

  it('has the Batch Norm layers, in the decimals that a 32-bit float needs', () => {
    const [known] = readModels(folderOf({ 'digits/model.onnx': digits() })).models;
    expect(known?.about.batchNorm).toEqual([
      {
        name: 'zt',
        input: 'z',
        output: 'zt',
        epsilon: 1e-5,
        momentum: 0.9,
        gamma: [1, 0.5, 2, 1.5],
        beta: [0, 1, -1, 0.5],
        runningMean: [10, -5, 20, 0],
        runningVar: [2500, 900, 4000, 100],
      },
    ]);
  });

  it('has the twin of a model whose card asks for it, and of no other', () => {
    const twin = { 'b/model.onnx': digits(), 'b/card.json': '{"explain": true}' };
    const { models } = readModels(folderOf({ 'a/model.onnx': digits(), ...twin }));
    expect(models.map(({ files }) => Object.keys(files))).toEqual([['model'], ['model', 'switchable']]);
    expect(models[0]?.files.model).toEqual(models[1]?.files.model);
  });

  it('has the samples of a model where there are some', () => {
    const data = Float32Array.of(1, 2, 3);
    const folder = folderOf({ 'a/model.onnx': model, 'a/samples.npz': samples('<f4', data), 'b/model.onnx': model });
    const [first, second] = readModels(folder).models;
    expect(first?.samples).toMatchObject({ shape: [3], data });
    expect(second?.samples).toBeUndefined();
  });

  it('may be reached through links', () => {
    const folder = folderOf({ 'elsewhere/model.onnx': model, 'models/.gitkeep': '' });
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'models/a'));
    expect(readModels(join(folder, 'models')).models.map(({ about }) => about.name)).toEqual(['a']);
  });

  it('may hold other things, of which those that might be meant are named', () => {
    const others = {
      '.DS_Store': '',
      '.ipynb_checkpoints/model.onnx': '',
      '.net-a1B2c3/new/model.onnx': '',
      'README.md': '',
      'b.onnx': '',
    };
    const folder = folderOf({ 'a/model.onnx': model, 'a/versions/.cache/x': '', ...others });
    expect(readModels(folder).notes).toEqual([
      `${folder}/.ipynb_checkpoints: skipped: a model is a folder with a model.onnx`,
      `${folder}/.net-a1B2c3: skipped: it was to replace ${folder}/net; if no command is running there, its old/ and new/ hold the files, and it may be removed`,
      `${folder}/README.md: skipped: a model is a folder with a model.onnx`,
      `${folder}/b.onnx: expected it in a folder of its own: bn-edge add ${folder}/b.onnx`,
    ]);
  });

  it('has to be there', () => {
    const missing = join(folderOf({}), 'missing');
    expect(() => readModels(missing)).toThrow(`${missing}: expected a folder of models, got none; `);
  });

  it.each(refused)('is refused for %s, in one line', (_, files, message) => {
    const read = () => {
      const [{ error } = { error: 'nothing' }] = readModels(folderOf(files)).broken;
      throw new UserError(error);
    };
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ name: 'UserError' }) as Error);
    expect(read).not.toThrow(/\n/);
  });

  it('has a model whose file is called otherwise, if it is the only one', () => {
    const { models, broken } = readModels(
      folderOf({
        'a/resnet.onnx': model,
        'b/x.onnx': model,
        'b/model.onnx': model,
        'c/x.onnx': model,
        'c/y.onnx': model,
      }),
    );
    expect(models.map(({ file }) => file.split('/').slice(-2).join('/'))).toEqual(['a/resnet.onnx', 'b/model.onnx']);
    expect(broken.map(({ error }) => error.replace(/^.*\/c:/, 'c:'))).toEqual([
      'c: expected a file model.onnx, got "x.onnx", "y.onnx": rename the one that is meant',
    ]);
  });

  it('tells of a link to a file that is not there', () => {
    const folder = folderOf({ 'a/notes.md': '' });
    symlinkSync('../nowhere.onnx', join(folder, 'a', 'model.onnx'));
    const { broken } = readModels(folder);
    expect(broken[0]?.error).toMatch(/a: expected a file model\.onnx, got a link to a file that is not there$/);
  });

  it("has what the card says of its inputs' shapes", () => {
    const card = { inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 1, 28, 28] }] };
    const { models } = readModels(folderOf({ 'a/model.onnx': digits(), 'a/card.json': JSON.stringify(card) }));
    expect(models[0]?.stated).toEqual({ pixels: [-1, 1, 28, 28] });
  });

  it('tells all that is wrong with its models at once, and has the others', () => {
    const { models, broken } = readModels(
      folderOf({
        'a/model.onnx': 'Hello',
        'b/model.onnx': model,
        'b/card.json': '{"colour": 1}',
        'c/model.onnx': model,
        'd/model.onnx/x': 'a folder in the place of a file',
        'e e/model.onnx': model,
        'f/model.onnx': model,
        'f/card.json/x': '',
      }),
    );
    expect(models.map(({ about }) => about.name)).toEqual(['c']);
    expect(broken.map(({ path, error }) => [path, error.replace(/^\S+\/bn-edge-registry-[^/]+\//, '')])).toEqual([
      ['a', 'a/model.onnx: expected an ONNX model, got 5 bytes that are none'],
      ['b', expect.stringMatching(/^b\/card\.json: unknown key "colour"; known are /)],
      ['d', 'd/model.onnx: cannot read: illegal operation on a directory'],
      ['f', 'f/card.json: cannot read: illegal operation on a directory'],
      ['e e', expect.stringMatching(/e e: expected the name of a model .*; rename the folder/)],
    ]);
  });

  const pixels = { name: 'pixels', datatype: 'FP32' };
  const column = (name: string) => ({ kind: 'numeric', name, fill: null });
  const words = (name: string, categories: readonly string[], fill: number | null = null) => ({
    kind: 'categorical',
    name,
    categories,
    fill,
  });
  const labels = (count: number) => Array.from({ length: count }, (_, i) => String(i));
  it.each<[what: string, card: object, message: RegExp | undefined]>([
    ['as many labels as classes', { labels: labels(10) }, undefined],
    ['too few labels', { labels: labels(9) }, /: labels: expected 10, as "logits" is of so many classes, got 9$/],
    ['too many labels', { labels: labels(11) }, /: labels: expected 10, .* got 11$/],
    ['a label twice', { labels: [...labels(9), '3'] }, /: labels: expected each once, got "3" twice$/],
    [
      'no output of that name',
      { output: { name: 'y', kind: 'logits' } },
      /: output\.name: expected "logits", got "y"$/,
    ],
    [
      'a class where there are scores',
      { output: { name: 'logits', kind: 'class' } },
      /: output\.kind: expected another than "class", .* as "logits" is FP32 \[-1, 10\]$/,
    ],
    [
      'no such input',
      { inputs: [{ name: 'x', datatype: 'FP32' }] },
      /: inputs\[0\]\.name: expected "pixels", got "x"$/,
    ],
    [
      'another type',
      { inputs: [{ name: 'pixels', datatype: 'UINT8' }] },
      /: inputs\[0\]\.datatype: expected FP32, got UINT8$/,
    ],
    [
      'another shape',
      { outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 7] }] },
      /: outputs\[0\]\.shape: expected \[-1, 10\], got \[-1, 7\]$/,
    ],
    [
      'a size that the file leaves free',
      { outputs: [{ name: 'logits', datatype: 'FP32', shape: [1, 10] }] },
      undefined,
    ],
    ['the sha256 of its file', { files: { 'model.onnx': describeFile(digits()) } }, undefined],
    [
      'another sha256',
      { files: { 'model.onnx': { sha256: 'abc', bytes: 3 } } },
      /: files\["model\.onnx"\]\.sha256: expected [0-9a-f]{64}, got abc; bn-edge export or add, with --overwrite, writes/,
    ],
    [
      'a file that is not there',
      { files: { 'x.npz': { sha256: 'abc', bytes: 3 } } },
      /: files\["x\.npz"\].*: expected none, as there/,
    ],
    [
      'a file elsewhere',
      { files: { '../b': { sha256: 'abc', bytes: 3 } } },
      /: files\["\.\.\/b"\]\.sha256: expected none/,
    ],
    ['an input twice', { inputs: [pixels, pixels] }, /: inputs\[1\]\.name: expected each once, got "pixels" again$/],
    [
      'a size of 0',
      { inputs: [{ ...pixels, shape: [0, 1, 28, 28] }] },
      /: inputs\[0\]\.shape\[0\]: expected a size, or -1 for a free one, got 0$/,
    ],
    [
      'columns of what is no row',
      { inputs: [{ ...pixels, columns: [column('a')] }] },
      /: inputs\[0\]\.columns: expected none but for rows of numbers, FP32 \[N, numbers\], as "pixels" is FP32 \[-1, 1, 28, 28\], got 1$/,
    ],
    [
      'columns beside a picture',
      { inputs: [{ ...pixels, picture: 'raw', columns: [column('a')] }] },
      /: inputs\[0\]\.columns: expected none beside "picture", got 1$/,
    ],
    [
      'a picture as an output',
      { outputs: [{ name: 'logits', datatype: 'FP32', picture: 'raw' }] },
      /: outputs\[0\]\.picture: expected none, which is of an input, got one$/,
    ],
    [
      'unknown values of no columns',
      { unknown: 'fill' },
      /: unknown: expected none without "columns" of an input, got "fill"$/,
    ],
  ])('holds cards against the files: %s', (_, card, message) => {
    const folder = folderOf({ 'a/model.onnx': digits(), 'a/card.json': JSON.stringify(card) });
    const { models, broken } = readModels(folder);
    expect(models).toHaveLength(message ? 0 : 1);
    expect(broken.map(({ error }) => error)).toEqual(message ? [expect.stringMatching(message)] : []);
    if (message) expect(broken[0]?.error.startsWith(`${folder}/a/card.json: `)).toBe(true);
  });

  it.each<[what: string, columns: readonly object[], message: RegExp | undefined]>([
    ['as many as numbers', [column('a'), column('b')], undefined],
    ['too few', [column('a')], /: expected 2 numbers, as many as a row of "features" has, got 1 \(1 named\)$/],
    ['none', [], /: expected 2 numbers, as many as a row of "features" has, got 0 \(0 named\)$/],
    ['one twice', [column('a'), column('a')], /: expected each once, got "a" twice$/],
    [
      'a category twice',
      [column('a'), words('b', ['x', 'x'])],
      /\[1\]\.categories: expected each once, got "x" twice$/,
    ],
    [
      'no such category to fill in',
      [column('a'), words('b', ['x', 'y'], 3)],
      /\[1\]\.fill: expected the place of a category, 0 to 2, got 3$/,
    ],
  ])('holds columns against the rows that the file takes: %s', (_, columns, message) => {
    const card = { inputs: [{ name: 'features', datatype: 'FP32', columns }] };
    const { broken } = readModels(folderOf({ 'a/model.onnx': table(), 'a/card.json': JSON.stringify(card) }));
    expect(broken.map(({ error }) => error.replace(/^.*inputs\[0\]\.columns/, ''))).toEqual(
      message ? [expect.stringMatching(message)] : [],
    );
  });

  it.each(badSamples)('is refused for samples that are %s', (_, bytes, message) => {
    const { broken } = readModels(folderOf({ 'a/model.onnx': model, 'a/samples.npz': bytes }));
    expect(broken).toEqual([{ name: 'a', path: 'a', error: expect.stringMatching(message) as string }]);
  });
});
