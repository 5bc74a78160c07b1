/** Models as functions, without HTTP: which samples they take, in how many runs, and what they answer. */
import { describe, expect, it } from 'vitest';
import { plainPreparation } from '../../../training/pictures/index.ts';
import type { OutputKind, Session } from '../../../worker/create-worker.ts';
import { RequestError } from '../../../worker/errors.ts';
import { answerOf, valuesOf, warned } from '../../../worker/predict/answer.ts';
import { numberCalls, rowCalls } from '../../../worker/predict/calls.ts';
import { pictureCalls } from '../../../worker/predict/picture-calls.ts';
import { type Echo, imageOf } from '../../worker/images.ts';

/** Returns the functions of an echo of rows of numbers. */
const echo = (more: Partial<Echo> = {}) =>
  numberCalls(imageOf({ name: 'echo', kind: 'number', shape: ['N', 2], ...more }), 'echo');

/** Counts the samples of each run. */
function counted(shape: readonly (number | string)[], more: Partial<Echo> = {}) {
  const sizes: number[] = [];
  const run: Session['run'] = ({ x }) => {
    sizes.push(x?.shape[0] ?? -1);
    return x ? { y: { ...x, data: Float32Array.from(x.data as Float32Array) } } : {};
  };
  return { sizes, calls: echo({ shape, run, ...more }) };
}

describe('the output of a model', () => {
  const outputs = (shape: readonly number[]) =>
    new Map([['y', { datatype: 'FP32' as const, shape, data: Float32Array.of(1, 2, 3, 4) }]]);

  it.each<[shape: readonly number[], expected: readonly (readonly number[])[]]>([
    [[4], [[1], [2], [3], [4]]],
    [
      [2, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [[1, 4], [[1, 2, 3, 4]]],
  ])('of shape %j has values for each sample', (shape, expected) => {
    expect(valuesOf('predict', 'echo', 'y', outputs(shape))).toEqual(expected);
  });

  it.each([
    [[], '[]'],
    [[2, 2, 1], '[2, 2, 1]'],
  ])('of shape %j is refused', (shape, shown) => {
    expect(() => valuesOf('predict', 'echo', 'y', outputs(shape))).toThrow(
      new RequestError(
        'not found',
        `predict: expected an output of shape [-1, classes], got ${shown} of echo: use infer`,
      ),
    );
  });

  it('that the run lacks is a mistake of ours', () => {
    expect(() => valuesOf('predict', 'echo', 'z', outputs([4]))).toThrow('internal: no output z');
  });
});

describe('the answer to', () => {
  const labels = ['no', 'yes'];
  const interval = { share: 0.9, halfWidth: 0.5 } as never;
  it.each<[what: string, kind: OutputKind, values: readonly number[], model: object, expected: object]>([
    ['a number', 'number', [1 / 3], {}, { value: 0.3333333 }],
    ['a number with an interval', 'number', [2], { interval }, { value: 2, low: 1.5, high: 2.5 }],
    [
      'an interval around what is not rounded',
      'number',
      [1.00000004],
      { interval: { halfWidth: 0.00000012 } },
      { value: 1, low: 0.9999999, high: 1 },
    ],
    ['several numbers', 'number', [1 / 3, 2], {}, { values: [0.3333333, 2] }],
    ['several numbers, whose interval nothing says', 'number', [1, 2], { interval }, { values: [1, 2] }],
    ['NaN for a number', 'number', [NaN], {}, { value: null, warnings: ['not a number'] }],
    [
      'NaN for a number with an interval',
      'number',
      [NaN],
      { interval },
      { value: null, low: null, high: null, warnings: ['not a number'] },
    ],
    ['one infinity of several numbers', 'number', [1, -Infinity], {}, { values: null, warnings: ['not a number'] }],
    ['NaN for logits', 'logits', [0, NaN], { labels }, { label: null, probability: null, warnings: ['not a number'] }],
    ['NaN for labels', 'multi-label', [0, NaN], { labels }, { labels: null, warnings: ['not a number'] }],
    ['a class', 'class', [1], { labels }, { label: 'yes', probability: null }],
    ['a class without labels', 'class', [3], {}, { label: '3', probability: null }],
    [
      'a class behind the last',
      'class',
      [2],
      { labels },
      { label: '2', probability: null, warnings: ['no label for 2'] },
    ],
    [
      'probabilities, the first of equal ones',
      'probabilities',
      [0.5, 0.5],
      { labels },
      { label: 'no', probability: 0.5, probabilities: { no: 0.5, yes: 0.5 } },
    ],
    [
      'probabilities of a threshold',
      'probabilities',
      [0.7, 0.3],
      { labels, threshold: { yes: 0.25 } },
      { label: 'yes', probability: 0.3, probabilities: { no: 0.7, yes: 0.3 } },
    ],
    [
      'probabilities without labels',
      'probabilities',
      [0.25, 0.125, 0.625],
      {},
      { label: '2', probability: 0.625, probabilities: { 0: 0.25, 1: 0.125, 2: 0.625 } },
    ],
    [
      'labels, from a half on or as the card says',
      'multi-label',
      [0.5, 0.49, 0.2],
      { labels: ['a', 'b', 'c'], threshold: { c: 0.2 } },
      { labels: ['a', 'c'], probabilities: { a: 0.5, b: 0.49, c: 0.2 } },
    ],
  ])('%s', (_, kind, values, model, expected) => {
    expect(answerOf(values, model, kind)).toEqual(expected);
  });

  it('a row that has warnings tells these before its own', () => {
    const answer = { value: null, warnings: ['not a number'] };
    expect(warned(answer, ['sex: missing', 'age: 300'])).toEqual({
      value: null,
      warnings: ['sex: missing', 'age: 300', 'not a number'],
    });
    expect(warned({ value: 1 }, ['sex: missing'])).toEqual({ value: 1, warnings: ['sex: missing'] });
    expect(warned({ value: 1 })).toEqual({ value: 1 });
    expect(warned({ value: 1 }, [])).toEqual({ value: 1 });
  });
});

describe('the function for plain numbers', () => {
  it('answers one sample, or many in their order', async () => {
    expect(await echo().predict([1, 2])).toEqual({ values: [1, 2] });
    expect(await echo().predictMany([[1, 2], Float32Array.of(3, 4), new Uint8Array([5, 6])])).toEqual([
      { values: [1, 2] },
      { values: [3, 4] },
      { values: [5, 6] },
    ]);
    expect(await echo().predictMany([])).toEqual([]);
  });

  it('gives the model what has the sizes of its input, or those that the build has found', async () => {
    const shapes: (readonly number[])[] = [];
    const run: Session['run'] = ({ x }) => {
      shapes.push(x?.shape ?? []);
      return { y: { dtype: 'float32', shape: [1], data: Float32Array.of(7) } };
    };
    await echo({ shape: ['N', 2, 3], run }).predict([1, 2, 3, 4, 5, 6]);
    const found = imageOf({ name: 'echo', kind: 'number', shape: ['N', 'width'], run });
    const [about] = found.models;
    if (!about) throw new Error('expected a model');
    const models = [{ ...about, shapes: { x: [-1, 3] } }];
    expect(await numberCalls({ ...found, models }, 'echo').predict([1, 2, 3])).toEqual({ value: 7 });
    expect(shapes).toEqual([
      [1, 2, 3],
      [1, 3],
    ]);
  });

  it.each<[what: string, sample: unknown, message: string]>([
    ['too few', [1], 'sample: expected 2 numbers, got 1'],
    ['too many', Float32Array.of(1, 2, 3), 'sample: expected 2 numbers, got 3'],
    ['a text among them', [1, '2'], 'sample: expected 2 numbers, got a string at 1'],
    ['bigints', new BigInt64Array(2), 'sample: expected 2 numbers, got an object at 0'],
    ['a number alone', 5, 'sample: expected 2 numbers, got 0'],
    ['what only has a length', { length: 2, 0: 1, 1: 2 }, 'sample: expected 2 numbers, got 0'],
    ['nothing', undefined, 'sample: expected 2 numbers, got 0'],
  ])('refuses %s', async (_, sample, message) => {
    await expect(echo().predict(sample as number[])).rejects.toMatchObject({ name: 'PredictError', message });
  });

  it('says which of many it refuses, and runs none', async () => {
    const { sizes, calls } = counted(['N', 1]);
    const many = Array.from({ length: 300 }, (_, i) => (i === 299 ? [1, 2] : [i]));
    await expect(calls.predictMany(many)).rejects.toThrow('samples[299]: expected 1 numbers, got 2');
    expect(sizes).toEqual([]);
  });

  it.each<
    [what: string, count: number, shape: readonly (number | string)[], more: Partial<Echo>, runs: readonly number[]]
  >([
    ['256 at a time', 513, ['N', 1], {}, [256, 256, 1]],
    ['256 at once', 256, ['N', 1], {}, [256]],
    ['as many as a file of a fixed batch takes', 5, [2, 1], {}, [2, 2, 1]],
    ['one by one where the file takes one', 3, [1, 1], {}, [1, 1, 1]],
    [
      'all at once where they are normalized by the batch',
      300,
      ['N', 1],
      { ofBatch: { layers: ['norm'], of: 1 } },
      [300],
    ],
    ['none where there are none', 0, ['N', 1], {}, []],
  ])('runs %s', async (_, count, shape, more, runs) => {
    const { sizes, calls } = counted(shape, more);
    const answers = await calls.predictMany(Array.from({ length: count }, (__, i) => [i]));
    expect(answers).toEqual(Array.from({ length: count }, (__, value) => ({ value })));
    expect(sizes).toEqual(runs);
  });

  it('passes on what the model itself fails with', async () => {
    const failure = new RangeError('no memory');
    const run = (): never => {
      throw failure;
    };
    await expect(echo({ run }).predict([1, 2])).rejects.toBe(failure);
  });

  it('refuses by its own error what the answer cannot be read from', async () => {
    const run: Session['run'] = () => ({ y: { dtype: 'float32', shape: [1, 1, 1], data: Float32Array.of(1) } });
    await expect(echo({ run }).predict([1, 2])).rejects.toMatchObject({
      name: 'PredictError',
      message: 'predict: expected an output of shape [-1, classes], got [1, 1, 1] of echo: use infer',
      cause: expect.any(RequestError) as unknown,
    });
  });

  it('is not made of a model that the image lacks', () => {
    const image = imageOf({ name: 'echo' });
    expect(() => numberCalls(image, 'other')).toThrow('internal: the image lacks the model other');
    expect(() => numberCalls({ ...image, sessions: new Map() }, 'echo')).toThrow('internal: the image lacks the model');
  });
});

describe('the function for rows', () => {
  const columns = [
    { name: 'age', kind: 'numeric', fill: null },
    { name: 'city', kind: 'categorical', categories: ['Bern', 'Basel'], fill: null },
  ] as const;
  const rows = (unknown?: Echo['unknown']) =>
    rowCalls(
      imageOf({ name: 'people', kind: 'number', shape: ['N', 2], columns, ...(unknown && { unknown }) }),
      'people',
    );

  it('reads the columns of a row', async () => {
    expect(await rows().predict({ age: 3, city: 'Basel' })).toMatchObject({ values: [3, 1] });
  });

  it('refuses names that are no columns unless the card or the call says otherwise', async () => {
    const row = { age: 3, city: 'Bern', shoe: 44 };
    await expect(rows().predict(row)).rejects.toMatchObject({
      name: 'PredictError',
      message: expect.stringContaining('got "shoe"; unknown=ignore leaves others out') as unknown,
    });
    await expect(rows('ignore').predict(row)).resolves.toMatchObject({ values: [3, 0] });
    await expect(rows().predict(row, { unknown: 'ignore' })).resolves.toMatchObject({ values: [3, 0] });
    await expect(rows('ignore').predict(row, { unknown: 'refuse' })).rejects.toMatchObject({ name: 'PredictError' });
  });

  it('names the row that it refuses', async () => {
    await expect(
      rows().predictMany([
        { age: 3, city: 'Bern' },
        { age: 'old', city: 'Bern' },
      ]),
    ).rejects.toThrow('samples[1]');
  });

  it('is not made of a model without columns', () => {
    expect(() => rowCalls(imageOf({ name: 'echo' }), 'echo')).toThrow('internal: expected the columns of echo');
  });
});

describe('the function for pictures', () => {
  const picture = plainPreparation({ rows: 2, columns: 3 }, 1);
  /** Six greys of an ImageData. */
  const shades = (...greys: readonly number[]) => ({
    width: 3,
    height: 2,
    data: Uint8ClampedArray.from(greys.flatMap((grey) => [grey, grey, grey, 255])),
  });
  const first = shades(0, 51, 102, 153, 204, 255);
  const second = shades(255, 204, 153, 102, 51, 0);

  it.each<[what: string, shape: readonly (number | string)[], given: readonly number[]]>([
    ['an image of channels', ['N', 1, 2, 3], [2, 1, 2, 3]],
    ['a matrix', ['N', 2, 3], [2, 2, 3]],
    ['a row', ['N', 6], [2, 6]],
  ])('gives the model %s of each', async (_, shape, given) => {
    const seen: { shape?: readonly number[]; data?: readonly number[] } = {};
    const run: Session['run'] = ({ x }) => {
      Object.assign(seen, {
        shape: x?.shape,
        data: Array.from(x?.data as Float32Array),
      });
      return { y: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } };
    };
    const calls = pictureCalls(imageOf({ name: 'shades', kind: 'number', shape, picture, run }), 'shades');
    expect(await calls.predictMany([first, second])).toEqual([{ value: 1 }, { value: 2 }]);
    expect(seen.shape).toEqual(given);
    expect(seen.data).toEqual([0, 51, 102, 153, 204, 255, 255, 204, 153, 102, 51, 0]);
  });

  it('takes a picture of a single pixel', async () => {
    const run: Session['run'] = () => ({ y: { dtype: 'float32', shape: [1], data: Float32Array.of(7) } });
    const image = imageOf({ name: 'shades', kind: 'number', shape: ['N', 1, 2, 3], picture, run });
    const pixel = { width: 1, height: 1, data: Uint8ClampedArray.of(51, 51, 51, 255) };
    expect(await pictureCalls(image, 'shades').predict(pixel)).toEqual({ value: 7 });
  });

  it('is not made of a model that does not say how it takes them', () => {
    expect(() => pictureCalls(imageOf({ name: 'echo' }), 'echo')).toThrow('internal: expected how echo takes pictures');
  });
});
