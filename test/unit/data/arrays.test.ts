/** Arrays are found in the forms that people save, with their parts and the right notes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadData, readInputsAlone, readNpzArrays } from '../../../training/data/index.ts';
import { UserError } from '../../../training/files/index.ts';
import type { PicturePreparation } from '../../../training/pictures/index.ts';
import { npy } from './npy-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'arrays-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns `from`, `from + 1`, … as `[count, 1]`. */
const x = (from: number, count = 2) =>
  npy(
    "'<f4'",
    `(${count}, 1)`,
    Float32Array.from({ length: count }, (_, i) => from + i),
  );
const y = (...labels: readonly number[]) => npy("'<i4'", `(${labels.length},)`, Int32Array.from(labels));

async function npz(arrays: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(folder, 'data.npz');
  await writeFile(
    path,
    zipSync(Object.fromEntries(Object.entries(arrays).map(([name, file]) => [`${name}.npy`, file]))),
  );
  return path;
}

describe('an archive of arrays', () => {
  it.each([
    ['x', 'y'],
    ['X', 'y'],
    ['data', 'labels'],
    ['images', 'targets'],
    ['arr_0', 'arr_1'],
    ['X_train', 'y_train'],
    ['train_images', 'train_labels'],
    ['xTrain', 'yTrain'],
  ])('has its inputs in %s and its labels in %s', async (inputs, labels) => {
    const path = await npz({ [inputs]: x(5), [labels]: y(1, 0) });
    const { parts, notes } = await readNpzArrays(path, {});
    expect([...parts.train.inputs]).toEqual([5, 6]);
    expect(parts.train).toMatchObject({ classes: ['0', '1'], labels: Int32Array.of(1, 0) });
    expect(notes).toEqual([`inputs: ${path}: ${inputs} [2, 1]; labels: ${path}: ${labels}`]);
  });

  it.each([
    ['x_train', 'y_train', 'x_val', 'y_val', 'x_test', 'y_test'],
    ['train_images', 'train_labels', 'val_images', 'val_labels', 'test_images', 'test_labels'],
    ['X.train', 'Y.train', 'X.valid', 'Y.valid', 'X.test', 'Y.test'],
  ])('brings its own parts: %s, %s, …', async (x1, y1, x2, y2, x3, y3) => {
    const path = await npz({ [x1]: x(0), [y1]: y(7, 9), [x2]: x(10), [y2]: y(9, 9), [x3]: x(20, 3), [y3]: y(7, 7, 9) });
    const { parts, notes } = await readNpzArrays(path, {});
    expect(parts).toMatchObject({
      train: { inputs: Float32Array.of(0, 1), labels: Int32Array.of(0, 1), classes: ['7', '9'] },
      validation: { inputs: Float32Array.of(10, 11), labels: Int32Array.of(1, 1), classes: ['7', '9'] },
      test: { inputs: Float32Array.of(20, 21, 22), labels: Int32Array.of(0, 0, 1), classes: ['7', '9'] },
    });
    expect(notes).toContain('the samples for validation and test are those that the file has for it');
  });

  it('may bring one part of its own', async () => {
    const path = await npz({ x_train: x(0), y_train: y(0, 1), x_test: x(5), y_test: y(1, 0) });
    const { parts, notes } = await readNpzArrays(path, {});
    expect(Object.keys(parts)).toEqual(['train', 'test']);
    expect(notes).toContain('the samples for test are those that the file has for it');
  });

  it('gives its test part to the test, and takes validation from training', async () => {
    const classes = Array.from({ length: 40 }, (_, i) => i % 2);
    const path = await npz({ x_train: x(0, 40), y_train: y(...classes), x_test: x(100), y_test: y(0, 1) });
    const { train, validation, test } = await loadData(path, { seed: 1, validationShare: 0.25 });
    expect([...test.inputs]).toEqual([100, 101]);
    expect([train.count, validation.count]).toEqual([30, 10]);
    expect([...train.inputs, ...validation.inputs].sort((a, b) => a - b)).toEqual([...classes.keys()]);
  });

  it('is read by the names that it is given', async () => {
    const path = await npz({ a: x(1), b: x(5), kind: y(0, 1), other: y(1, 1) });
    expect([...(await readNpzArrays(path, { inputs: 'b', label: 'kind' })).parts.train.inputs]).toEqual([5, 6]);
    const named = await npz({ x: x(1), kind: y(0, 1) });
    expect([...(await readNpzArrays(named, { label: 'kind' })).parts.train.inputs]).toEqual([1, 2]);
  });

  const choose = '--inputs NAME --label NAME choose among them';
  const wanted = 'expected arrays x and y, or x_train, y_train, x_test and y_test, got';
  it.each<[string, Record<string, Uint8Array>, object, string]>([
    ['unknown names', { a: x(1), b: y(0, 1) }, {}, `: ${wanted} "a", "b"; ${choose}`],
    ['no array', {}, {}, `: ${wanted} none; ${choose}`],
    ['two of a kind', { images: x(1), data: x(2), y: y(0, 1) }, {}, `: ${wanted} "images", "data", "y"; ${choose}`],
    [
      'all and a part',
      { x: x(1), y: y(0, 1), x_train: x(1), y_train: y(0, 1) },
      {},
      `: ${wanted} "x", "y", "x_train", "y_train"; ${choose}`,
    ],
    [
      'one name only',
      { a: x(1), b: y(0, 1) },
      { label: 'b' },
      ': expected both --inputs NAME and --label NAME, got one; its arrays are "a", "b"',
    ],
    [
      'a class that training lacks',
      { x_train: x(1), y_train: y(0, 1), x_test: x(1), y_test: y(1, 2) },
      {},
      `: y_test: element 1: expected one of training's 2 classes, got "2"`,
    ],
    [
      'a part of another shape',
      { x_train: x(1), y_train: y(0, 1), x_test: npy("'<f4'", '(2, 2)', new Float32Array(4)), y_test: y(1, 0) },
      {},
      ": x_test: expected samples [1] as training's, got [2]",
    ],
  ])('is refused with %s', async (_, arrays, options, message) => {
    const path = await npz(arrays);
    await expect(readNpzArrays(path, options)).rejects.toThrow(new UserError(path + message));
  });
});

describe('images in arrays', () => {
  const bytes = (shape: string, values: readonly number[]) => npy("'|u1'", shape, Uint8Array.from(values));
  const floats = (shape: string, values: readonly number[]) => npy("'<f4'", shape, Float32Array.from(values));
  const two = [...Array<number>(16).keys(), ...Array<number>(16).keys()].map((i) => i * 10);

  it('with channels behind are said', async () => {
    const { parts, notes, picture } = await readNpzArrays(await npz({ x: bytes('(2, 4, 4, 1)', two), y: y(0, 1) }), {});
    expect(parts.train.inputShape).toEqual([1, 4, 4]);
    expect(notes).toContain('images [4, 4, 1] are taken as rows, columns and channels; --layout NCHW if they are not');
    expect(picture).toEqual({
      size: { rows: 4, columns: 4 },
      channels: 1,
      filter: 'triangle',
      fit: 'stretch',
      background: '#ffffff',
    });
    const told = await readNpzArrays(await npz({ x: bytes('(2, 4, 4, 1)', two), y: y(0, 1) }), { layout: 'NHWC' });
    expect(told.notes.join()).not.toContain('--layout');
  });

  it('of one colour are counted, and all the same are said', async () => {
    const one = [...Array<number>(16).fill(3), ...Array<number>(16).keys()];
    const some = await readNpzArrays(await npz({ x: bytes('(2, 4, 4)', one), y: y(0, 1) }), {});
    expect(some.notes).toContain('1 of 2 images are of one colour, such as number 0');
    const all = await readNpzArrays(await npz({ x: bytes('(2, 4, 4)', two), y: y(0, 1) }), {});
    expect(all.notes).toContain('all 2 samples are the same');
    const none = [...Array<number>(16).keys(), ...Array<number>(16).keys()].map((i, at) => (at < 16 ? i : 15 - i));
    const different = await readNpzArrays(await npz({ x: bytes('(2, 4, 4)', none), y: y(0, 1) }), {});
    expect(different.notes.join()).not.toMatch(/of one colour|are the same/);
    const rows = await readNpzArrays(await npz({ x: floats('(2, 2)', [1, 1, 2, 2]), y: y(0, 1) }), {});
    expect(rows.notes).toHaveLength(1);
  });

  it.each<[string, readonly [number, number], PicturePreparation['values'] | undefined]>([
    ['bytes', [0, 255], undefined],
    ['dark bytes', [0, 200], undefined],
    ['0 to 128', [0, 128], undefined],
    ['0 to 127', [0, 127], null],
    ['0 to 256', [0, 256], null],
    ['below 0 to 255', [-1, 255], null],
    ['0 to 1', [0, 1], [0, 1]],
    ['0 to 0.5', [0, 0.5], null],
    ['0 to 1.5', [0, 1.5], null],
    ['-0.75 to 1', [-0.75, 1], [-1, 1]],
    ['-0.5 to 1', [-0.5, 1], null],
    ['-1.25 to 1', [-1.25, 1], null],
    ['0 to 0.996', [0.1, 0.996], [0, 1]],
    ['-1 to 1', [-1, 1], [-1, 1]],
    ['0 to 16', [0, 16], null],
    ['standardized numbers', [-1.5, 2.5], null],
    ['small numbers', [0, 0.1], null],
  ])('tell what black and white are: %s', async (_, [lowest, highest], values) => {
    const spread = two.map((value) => lowest + (value / 150) * (highest - lowest));
    const { picture, notes } = await readNpzArrays(await npz({ x: floats('(2, 1, 4, 4)', spread), y: y(0, 1) }), {});
    expect(picture?.values).toEqual(values);
    expect(notes.join()).toMatch(
      values === undefined
        ? /same$/
        : values === null
          ? /are not those of pictures/
          : /pictures will be brought to these/,
    );
  });

  it('of two or four channels are no pictures to serve', async () => {
    const four = floats('(2, 4, 2, 2)', two);
    expect((await readNpzArrays(await npz({ x: four, y: y(0, 1) }), {})).picture).toBeUndefined();
  });
});

describe('inputs without labels', () => {
  it.each([
    [{ x: x(5) }, {}, 'x'],
    [{ whatever: x(5) }, {}, 'whatever'],
    [{ arr_0: x(5) }, {}, 'arr_0'],
    [{ images: x(5), more: x(9) }, {}, 'images'],
    [{ a: x(9), b: x(5) }, { inputs: 'b' }, 'b'],
    [{ x: x(5), y: y(1, 0) }, { inputs: 'x' }, 'x'],
  ])('are found in an archive: %o, %o', async (arrays, chosen, name) => {
    const path = await npz(arrays);
    const alone = await readInputsAlone(path, chosen);
    expect([...(alone?.samples.inputs ?? [])]).toEqual([5, 6]);
    expect(alone?.samples).toMatchObject({ inputShape: [1], count: 2, places: Int32Array.of(0, 1) });
    expect(alone?.notes).toEqual([`inputs: ${path}: ${name} [2, 1]; no labels`]);
  });

  it('are a .npy file', async () => {
    const path = join(folder, 'x.npy');
    await writeFile(path, x(5));
    expect((await readInputsAlone(path, {}))?.samples.count).toBe(2);
  });

  it.each([
    [{ x: x(5), y: y(1, 0) }, {}],
    [{ x_train: x(5), y_train: y(1, 0), x_test: x(9), y_test: y(1, 0) }, {}],
    [{ a: x(5), b: x(9) }, {}],
    [
      { a: x(5), b: y(1, 0) },
      { inputs: 'a', label: 'b' },
    ],
  ])('are not all that %o holds', async (arrays, chosen) => {
    expect(await readInputsAlone(await npz(arrays), chosen)).toBeUndefined();
  });
});

it('arrays named by their positions are inputs and labels, in whichever order they lie', async () => {
  const { parts } = await readNpzArrays(await npz({ arr_1: y(1, 0), arr_0: x(5) }), {});
  expect(parts.train).toMatchObject({ inputs: Float32Array.of(5, 6), labels: Int32Array.of(1, 0) });
});
