/** Models whose cards ask for compilation make images that agree with the stock runtime. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeBuild } from '../../exporter/command/describe-build.ts';
import { buildImage } from '../../exporter/edge/build-image.ts';
import type { BuiltImage } from '../../exporter/edge/built.ts';
import type { Image, Session, Tensor } from '../../worker/image.ts';
import { encodeModel, graphBuilder } from '../../training/graph/index.ts';
import { networkGraph, type Described } from '../unit/compile/network-graph.ts';
import { batchNorm, conv2d, dense, flatten, maxPool, relu } from '../../training/network/index.ts';
import { expectAllClose } from '../reference/close.ts';

let folder = '';
const at = (...names: readonly string[]): string => join(folder, ...names);

const table: Described = {
  inputShape: [4],
  categories: [0, 3, 0, 0],
  fills: [0.5, 1, null, 2],
  layers: [dense(16), batchNorm(), relu(), dense(3)],
};
const picture: Described = {
  inputShape: [1, 8, 8],
  layers: [conv2d(8, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2), flatten(), dense(3)],
};

/** Builds a sum over the batch, which no program can compute sample by sample. */
function acrossBatch(): Uint8Array {
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: ['N', 4] });
  return encodeModel(g.build('sums', { y: g.Add(x, g.ReduceSum(x, g.ints([0]), { keepdims: 1 })) }), {});
}

const file = (described: Described): Uint8Array => encodeModel(networkGraph(described), {});

async function write(models: string, name: string, model: Uint8Array, card: object): Promise<void> {
  await mkdir(at(models, name), { recursive: true });
  await writeFile(at(models, name, 'model.onnx'), model);
  await writeFile(at(models, name, 'card.json'), JSON.stringify(card));
}

const build = (models: string, out: string, options: object = {}): Promise<BuiltImage> =>
  buildImage({ models: at(models), out: at(out), unoptimized: true, ...options });

const load = async (out: string): Promise<Image & { FeedError: unknown }> =>
  (await import(pathToFileURL(at(out, 'image.mjs')).href)) as Image & { FeedError: unknown };

function session(image: Image, name: string): Session {
  const found = image.sessions.get(name);
  if (!found) throw new Error(`no session ${name}`);
  return found;
}

function feed(shape: readonly number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: 'float32', shape, data: Float32Array.from({ length: count }, (_, i) => (i * 7) % 3) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-compiled-'));
  await write('models', 'rows', file(table), { engine: 'auto' });
  await write('models', 'pictures', file(picture), { engine: 'compiled' });
  await write('mixed', 'rows', file(table), { engine: 'compiled' });
  await write('mixed', 'pictures', file(picture), { engine: 'compiled', explain: true });
  await write('mixed', 'sums', acrossBatch(), { engine: 'auto' });
  await write('mixed', 'explained', file(picture), { engine: 'auto', explain: true });
  await write('refused', 'sums', acrossBatch(), { engine: 'compiled' });
  await write('interpreted', 'pictures', file(picture), { engine: 'onnxruntime' });
  await write('wrong', 'rows', file(table), { engine: 'fast' });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

describe('an image of compiled models alone', () => {
  let built: BuiltImage;
  let image: Image & { FeedError: unknown };
  let stock: Image;

  beforeAll(async () => {
    built = await build('models', 'out', { emitWat: true });
    await build('models', 'stock', { stock: true });
    [image, stock] = [await load('out'), await load('stock')];
  }, 120_000);

  it('holds nothing of ONNX Runtime', async () => {
    expect(built.models.map(({ path, engine, ok }) => [path, engine, ok])).toEqual([
      ['pictures', 'compiled', true],
      ['rows', 'compiled', true],
    ]);
    expect(built.functions).toBeUndefined();
    const files = (await readdir(at('out'))).filter((name) => /^(image|program)/.test(name)).sort();
    expect(files).toEqual(['image.d.mts', 'image.mjs', 'image.wasm', 'image.wat', 'program-0.wasm', 'program-0.wat']);
    expect((await stat(at('out', 'image.wasm'))).size).toBeLessThan(60_000);
    const module = await readFile(at('out', 'image.mjs'), 'utf8');
    expect(module).not.toContain('OrtRun');
    // Without the description of the models.
    expect(module.length - JSON.stringify((await load('out')).models).length).toBeLessThan(4800);
  });

  it('is described as such', () => {
    const text = describeBuild(built);
    expect(text).toMatch(/pictures +│ +1 │ +\d+ kB │ no +│ +18 │ compiled/);
    expect(text).toMatch(
      /gzip, with no runtime\nchecked: each case gave the same classes as stock ONNX Runtime, and numbers within 0\.00001 of its largest/,
    );
  });

  it.each([
    ['rows/model', [4]],
    ['pictures/model', [1, 8, 8]],
  ] as const)('%s has the same ports and the same answers as stock', (name, shape) => {
    const [one, other] = [session(image, name), session(stock, name)];
    const ports = (values: Session['inputs']) => values.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
    expect([ports(one.inputs), ports(one.outputs)]).toEqual([ports(other.inputs), ports(other.outputs)]);
    for (const batch of [0, 1, 5]) {
      const feeds = { x: feed([batch, ...shape]) };
      const [got, expected] = [one.run(feeds).y, other.run(feeds).y];
      expect(got?.shape).toEqual(expected?.shape);
      expectAllClose('y', got?.data as Float32Array, expected?.data as Float32Array, { rtol: 5e-6, ofLargest: 1e-6 });
    }
  });

  it.each([
    ['none', {}],
    ['another', { z: feed([1, 4]) }],
    ['one more', { x: feed([1, 4]), z: feed([1, 4]) }],
    ['one of another size', { x: feed([1, 5]) }],
    ['one of another rank', { x: feed([4]) }],
    ['one of another type', { x: { ...feed([1, 4]), dtype: 'float64' as const } }],
    ['one with too few numbers', { x: { ...feed([1, 4]), shape: [2, 4] } }],
  ])('refuses %s for its input with the words of the other runtime', (_, feeds) => {
    const messageOf = (one: Session): string => {
      try {
        one.run(feeds);
        return '';
      } catch (error) {
        return String(error);
      }
    };
    const message = messageOf(session(image, 'rows/model'));
    expect(message).toBe(messageOf(session(stock, 'rows/model')));
    expect(message).toMatch(/^FeedError: rows\/model/);
  });

  it('is up to date until an option changes what it is', async () => {
    expect((await build('models', 'out', { emitWat: true })).upToDate).toBe(true);
    const fused = await build('models', 'out', { fma: true });
    expect([fused.upToDate, fused.models.map(({ engine }) => engine)]).toEqual([false, ['compiled', 'compiled']]);
  });
});

describe('an image of both', () => {
  let built: BuiltImage;

  beforeAll(async () => {
    built = await build('mixed', 'both');
  }, 240_000);

  it('says of each model what answers, and why it is ONNX Runtime', () => {
    const told = built.models.map(({ path, engine, engineReason, twin }) => [path, engine, twin, engineReason]);
    expect(told).toEqual([
      ['explained', 'onnxruntime', true, 'its twin, which "explain" asks for, needs ONNX Runtime'],
      ['pictures', 'compiled', true, undefined],
      ['rows', 'compiled', false, undefined],
      [
        'sums',
        'onnxruntime',
        false,
        'ReduceSum: expected each sample to be answered by itself, got an op across the batch',
      ],
    ]);
    expect(describeBuild(built)).toContain(
      'sums: not compiled, ONNX Runtime answers: ReduceSum: expected each sample to be answered by itself',
    );
  });

  it('answers from all sessions', async () => {
    const image = await load('both');
    const names = [...image.sessions.keys()].sort();
    expect(names).toEqual([
      ...[
        'explained/model',
        'explained/switchable',
        'pictures/model',
        'pictures/switchable',
        'rows/model',
        'sums/model',
      ],
    ]);
    const pixels = { x: feed([2, 1, 8, 8]) };
    const answers = ['explained/model', 'pictures/model'].map((name) => session(image, name).run(pixels).y);
    Array.from(answers[0]?.data as Float32Array).forEach((value, i) => {
      expect(Number(answers[1]?.data[i])).toBeCloseTo(value, 4);
    });
    const { y } = session(image, 'sums/model').run({ x: feed([2, 4]) });
    expect([...(y?.data as Float32Array)]).toHaveLength(8);
  });
});

it('says what --fma has made of ONNX Runtime, and holds it to less than bits', async () => {
  const built = await build('interpreted', 'fused', { fma: true });
  const sums = built.fusion && 'sums' in built.fusion ? built.fusion.sums : 0;
  expect(sums).toBeGreaterThan(100);
  expect(describeBuild(built)).toMatch(
    new RegExp(
      `\\n--fma: ${sums} sums of ONNX Runtime's kernels are fused with .*\\n.*\\nchecked: each case gave the same classes`,
    ),
  );
  const kept = { ...built, fusion: { reason: 'a model would answer otherwise' } };
  expect(describeBuild(kept)).toMatch(
    /\n--fma: ONNX Runtime's kernels stay as they are: a model would answer otherwise\n.*\nchecked: each case gave the same bits/,
  );
}, 240_000);

it('is an error where a card insists on a program, and there can be none', async () => {
  await expect(build('refused', 'none')).rejects.toThrow(
    /sums\/card\.json: engine: expected "auto" or "onnxruntime", got "compiled" \(ReduceSum: expected each sample/,
  );
}, 60_000);

it('is an error where a card names another engine', async () => {
  await expect(build('wrong', 'none')).rejects.toThrow(/card\.json: .*engine: .*auto.*compiled.*onnxruntime/);
});
