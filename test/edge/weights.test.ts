import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { describeBuild } from '../../exporter/command/describe-build.ts';
import { buildImage } from '../../exporter/edge/build-image.ts';
import type { BuiltImage } from '../../exporter/edge/built.ts';
import { writeWeights } from '../../exporter/edge/runtime/stored-weights.ts';
import { takeWeights } from '../../exporter/edge/stages/take-weights.ts';
import { bitsOfHalf, roundedToHalfs } from '../../exporter/served/halfs.ts';
import { lossOf } from '../../exporter/served/loss.ts';
import { weightTypes, withRoundedWeights } from '../../exporter/served/round-weights.ts';
import type { Weight } from '../../exporter/served/round-weights.ts';
import { servedFile } from '../../exporter/store/served-file.ts';
import { decodeProto, encodeModel, graphBuilder } from '../../training/graph/index.ts';
import type { Image } from '../../worker/image.ts';
import { npy } from '../unit/data/npy-file.ts';
import { cnn, mlp, randomNumbers } from './fixtures.ts';

const digits = 12;
const pixels = Uint8Array.from({ length: digits * 784 }, (_, i) => (i * 37) % 256);
const samples = zipSync({ 'x.npy': npy("'|u1'", `(${digits}, 1, 28, 28)`, pixels) });
const labels = Array.from({ length: 10 }, (_, i) => String(i));
const output = { name: 'logits', kind: 'logits' };

describe('rounding to halfs', () => {
  const random = randomNumbers(1);
  const powers = Array.from({ length: 42 }, (_, i) => 2 ** (i - 26));
  const ties = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25, 2 ** -24, 2 ** -14, 2 ** -14 - 2 ** -25];
  const values = Float32Array.from([
    ...[0, -0, 65_504, -65_504, ...ties, ...ties.map((tie) => -tie)],
    ...powers.flatMap((power) =>
      Array.from({ length: 100 }, () => Math.max(-65_504, Math.min(65_504, power * random()))),
    ),
  ]);

  it("gives the engine's own halfs, and their bits", () => {
    const expected = new Float16Array(values);
    const rounded = roundedToHalfs(values);
    const words = new Uint32Array(rounded.buffer);
    const bits = new Uint16Array(expected.buffer);
    values.forEach((value, i) => {
      expect(rounded[i], `${value} at ${i}`).toBe(expected[i]);
      expect(bitsOfHalf(rounded[i] ?? NaN, words[i] ?? 0), `bits of ${value} at ${i}`).toBe(bits[i]);
    });
  });

  it.each([1 + 2 ** -12, 2 ** -25, 65_536, NaN, Infinity])('knows that %d is none', (value) => {
    const one = Float32Array.of(value);
    expect(bitsOfHalf(one[0] ?? 0, new Uint32Array(one.buffer)[0] ?? 0)).toBeUndefined();
  });
});

it('measures the loss of an output of more numbers than a call has arguments', async () => {
  const width = 200_000;
  const fileOf = (weight: number): Uint8Array => {
    const g = graphBuilder();
    const x = g.input('x', { dtype: 'float32', shape: ['N', 1] });
    const data = new Float32Array(width).fill(weight);
    return encodeModel(
      g.build('wide', { y: g.MatMul(x, g.initializer('w', { dtype: 'float32', shape: [1, width], data })) }),
      {},
    );
  };
  const loss = await lossOf({
    file: 'wide.onnx',
    original: fileOf(4),
    rounded: fileOf(3),
    inputs: [{ name: 'x', datatype: 'FP32', dims: ['N', 1] }],
    sizes: [1],
    samples: { shape: [2, 1], data: Float32Array.of(1, 200) },
    output: { name: 'y', kind: 'logits' },
  });
  // The numbers are of single precision.
  expect({ ...loss, relativeDifference: loss.relativeDifference.toFixed(6) }).toEqual({
    largestDifference: 200,
    relativeDifference: '0.250000',
    samples: 2,
    changedClasses: 0,
  });
});

describe('a file with rounded weights', () => {
  const file = cnn({ channels: [4, 8], hidden: 16 });

  it('has no Batch Norm behind a convolution, which would change its weights, and the same inputs and outputs', async () => {
    const [before, after] = [
      decodeProto(file).graph,
      decodeProto((await withRoundedWeights(file, 'int8')).bytes).graph,
    ];
    const layers = (graph: typeof before) =>
      graph?.node?.filter(({ opType }) => opType === 'BatchNormalization').length;
    expect([layers(before), layers(after)]).toEqual([3, 1]);
    expect(after?.input).toEqual(before?.input);
    expect(after?.output).toEqual(before?.output);
  });

  it('has integers times the scale of their output channel, half a step beside what they were at most', async () => {
    const [whole, rounded] = [await withRoundedWeights(file, 'float32'), await withRoundedWeights(file, 'int8')];
    expect(rounded.weights.map(({ channels }) => channels).sort((a, b) => a - b)).toEqual([8, 16]);
    rounded.weights.forEach(({ values, scaled, inner, channels }, n) => {
      expect(scaled?.scales.length).toBe(channels);
      values.forEach((value, i) => {
        const scale = scaled?.scales[Math.floor(i / inner) % channels] ?? NaN;
        expect(value).toBe(Math.fround((scaled?.integers[i] ?? NaN) * scale));
        expect(Math.abs(value - (whole.weights[n]?.values[i] ?? NaN))).toBeLessThanOrEqual(scale * 0.5001);
      });
      for (let channel = 0; channel < channels; channel++) {
        const own = scaled?.integers.filter((_, i) => Math.floor(i / inner) % channels === channel) ?? [];
        expect(Math.max(...Array.from(own, Math.abs))).toBe(127);
      }
    });
  });
});

describe('weights in memory', () => {
  const random = randomNumbers(3);
  const integers = Int8Array.from({ length: 20 * 300 }, () => Math.round(127 * random()));
  const scales = Float32Array.from({ length: 20 }, (_, i) => (i + 1) / 100);
  const values = Float32Array.from(integers, (integer, i) => integer * (scales[Math.floor(i / 300)] ?? 0));
  /** [20, 300], which ONNX Runtime packs as two panels, the second of four columns, and 256 + 44 rows. */
  const weight: Weight = { outer: 1, channels: 20, inner: 300, values, scaled: { integers, scales } };
  const packed = new Float32Array(32 * 300);
  let i = 0;
  for (const [from, to] of [
    [0, 256],
    [256, 300],
  ] as const)
    for (const panel of [0, 16])
      for (let row = from; row < to; row++)
        for (let column = panel; column < panel + 16; column++) packed[i++] = values[column * 300 + row] ?? 0;
  const halfs = roundedToHalfs(values);

  const cases: readonly (readonly [string, Float32Array, Weight, bytes: number])[] = [
    ['as 8-bit integers in the order of the file', values, weight, 80 + 6000],
    ['as packed 8-bit integers', packed, weight, 80 + 9600],
    ['as halfs', halfs, { outer: 1, channels: 20, inner: 300, values: halfs }, 12_000],
    ['as what they are', values, { outer: 1, channels: 20, inner: 300, values }, 24_000],
  ];

  it.each(cases)('are taken out %s, and put back bit by bit', (_, kept, { ...taken }, bytes) => {
    const memory = new Float32Array(64 + kept.length + 64).fill(7);
    memory.set(kept, 64);
    const before = new Uint8Array(memory.buffer.slice(0));
    const now = new Uint8Array(memory.buffer);
    const { pieces, bytes: stored } = takeWeights(now, [taken], () => true);
    expect(stored.length).toBe(bytes);
    expect(memory.subarray(64, 64 + kept.length).every((value) => value === 0)).toBe(true);
    writeWeights({ memory: { buffer: memory.buffer } } as never, pieces, new Uint8Array(stored));
    expect(Buffer.compare(now, before)).toBe(0);
  });

  it('stay where they belong to another model', () => {
    const memory = new Float32Array(values);
    const { pieces } = takeWeights(new Uint8Array(memory.buffer), [weight], () => false);
    expect([pieces, memory]).toEqual([[], values]);
  });

  it('that are all zeros are left to the zeros of memory', () => {
    const zeros = { outer: 1, channels: 2, inner: 300, values: new Float32Array(600) };
    expect(takeWeights(new Uint8Array(9600), [zeros], () => true).pieces).toEqual([]);
  });
});

describe('an image of models whose cards say how to store weights', () => {
  let folder: string;
  let built: BuiltImage;
  let image: Image;
  const models = {
    float32: { file: cnn({ channels: [4, 8], hidden: 64 }), card: { labels, output } },
    float16: { file: cnn({ channels: [4, 8], hidden: 64 }), card: { labels, output, weights: 'float16' } },
    int8: { file: cnn({ channels: [4, 8], hidden: 64 }), card: { labels, output, weights: 'int8', explain: true } },
    packed: { file: mlp({ hidden: 100 }), card: { weights: 'int8' } },
  } as const;
  const path = (...parts: readonly string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bn-edge-weights-'));
    for (const [name, { file, card }] of Object.entries(models)) {
      const files = {
        'model.onnx': file,
        'card.json': JSON.stringify(card),
        ...(name !== 'packed' && { 'samples.npz': samples }),
      };
      for (const [entry, content] of Object.entries(files)) {
        await mkdir(dirname(path('models', name, entry)), { recursive: true });
        await writeFile(path('models', name, entry), content);
      }
    }
    built = await buildImage({ models: path('models'), out: path('out'), unoptimized: true });
    image = ((await import(pathToFileURL(path('out', 'image.mjs')).href)) as { default: Image }).default;
  });

  afterAll(() => rm(folder, { recursive: true }));

  const logitsOf = (name: string, count: number) => {
    const data = Float32Array.from(pixels.subarray(0, count * 784));
    const shape = name === 'packed' ? [count, 784] : [count, 1, 28, 28];
    const { logits } = image.sessions.get(`${name}/model`)?.run({ pixels: { dtype: 'float32', shape, data } }) ?? {};
    return Array.from(logits?.data as Float32Array);
  };

  it('holds a half and a quarter of their bytes, nearly', () => {
    const [float32 = 0, float16 = 0] = built.models
      .filter(({ name }) => name.startsWith('float'))
      .sort((a, b) => b.name.localeCompare(a.name))
      .map(({ gzipBytes }) => gzipBytes);
    expect(float16 / float32).toBeLessThan(0.6);
    const count = 4 * 9 + 8 * 4 * 9 + 392 * 64 + 640;
    const [packed = 0] = built.models.flatMap(({ name, gzipBytes }) => (name === 'packed' ? [gzipBytes] : []));
    expect(packed).toBeLessThan(1.3 * (784 * 100 + 100 * 100 + 1000) + 10_000);
    expect(built.bytes.weights).toBeGreaterThan(2 * count + 2 * count);
  });

  it.each(['float16', 'int8'] as const)('answers as the file with weights of %s, and tells how far that is', (name) => {
    const { weights } = image.models.find((model) => model.name === name) ?? {};
    const [expected, got] = [logitsOf('float32', digits), logitsOf(name, digits)];
    const largest = Math.max(...got.map((value, i) => Math.abs(value - (expected[i] ?? NaN))));
    expect(largest).toBeGreaterThan(0);
    expect(weights).toMatchObject({ type: name, samples: digits });
    expect(weights?.largestDifference).toBeGreaterThanOrEqual(largest * 0.999);
    expect(weights?.relativeDifference).toBeLessThan({ float16: 0.002, int8: 0.05 }[name]);
    const classOf = (all: readonly number[], i: number) => {
      const own = all.slice(10 * i, 10 * i + 10);
      return own.indexOf(Math.max(...own));
    };
    const changed = Array.from({ length: digits }, (_, i) => classOf(expected, i) !== classOf(got, i));
    expect(weights?.changedClasses).toBe(changed.filter(Boolean).length);
  });

  it('answers the same from its switchable twin, to what rounding of other numbers makes', () => {
    const data = Float32Array.from(pixels.subarray(0, 784));
    const off = { dtype: 'bool', shape: [], data: Uint8Array.of(0) } as const;
    const feeds = { pixels: { dtype: 'float32', shape: [1, 1, 28, 28], data }, [image.switchName]: off } as const;
    const { logits } = image.sessions.get('int8/switchable')?.run(feeds) ?? {};
    const own = logitsOf('int8', 1);
    Array.from(logits?.data as Float32Array).forEach((value, i) => {
      expect(Math.abs(value - (own[i] ?? NaN))).toBeLessThan(0.1);
    });
  });

  it('tells a build of it, changed classes first, and that without samples nothing real was asked', () => {
    const text = describeBuild(built);
    expect(text).toMatch(
      /^float16: weights as float16: \d+ of 12 samples get another class, answers differ by at most /m,
    );
    expect(text).toMatch(
      /^packed: weights as int8: answers differ .* \(made-up inputs alone, as there is no samples.npz\)$/m,
    );
    expect(text).not.toMatch(/^float32:/m);
  });

  it('is up to date where nothing has changed', async () => {
    const again = await buildImage({ models: path('models'), out: path('out'), unoptimized: true });
    expect(again.upToDate).toBe(true);
  });

  it('is what evaluate takes a model for', async () => {
    const { bytes } = await servedFile(path('models', 'packed', 'model.onnx'));
    expect(Buffer.from(bytes)).toEqual(Buffer.from((await withRoundedWeights(models.packed.file, 'int8')).bytes));
    const { bytes: untouched } = await servedFile(path('models', 'float32', 'model.onnx'));
    expect(Buffer.from(untouched)).toEqual(await readFile(path('models', 'float32', 'model.onnx')));
  });

  it('refuses what weights cannot be stored as', async () => {
    const other = path('other', 'model');
    await mkdir(other, { recursive: true });
    await writeFile(join(other, 'model.onnx'), models.packed.file);
    await writeFile(join(other, 'card.json'), JSON.stringify({ weights: 'int4' }));
    const expected = [...weightTypes].map((type) => `"${type}"`).join('|');
    await expect(buildImage({ models: path('other'), out: path('none') })).rejects.toThrow(
      new RegExp(`card\\.json.*weights.*(${expected})`),
    );
  });
});
