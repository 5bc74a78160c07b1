/** A watched network outputs what goes into its layers, and the model beside it stays the same. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import onnxProto from 'onnx-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { loadRuntime } from '../../exporter/edge/bundle.ts';
import { compileProven } from '../../exporter/edge/engine.ts';
import { readStockModule } from '../../exporter/edge/stages/stock-module.ts';
import { givingInputsOf } from '../../exporter/served/running-statistics.ts';
import { readModels } from '../../exporter/store/registry.ts';
import type { Image, Session } from '../../worker/image.ts';
import { createModels } from '../../worker/models.ts';
import { tally } from '../../worker/drift/tally.ts';
import { windowOf } from '../../worker/drift/sums.ts';
import { cnn, loneBatchNorm, mlp, randomNumbers } from './fixtures.ts';

const { ModelProto } = onnxProto.onnx;

function folderOf(card: object, model: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'bn-edge-watched-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, 'models/net'), { recursive: true });
  writeFileSync(join(folder, 'models/net/model.onnx'), model);
  writeFileSync(join(folder, 'models/net/card.json'), JSON.stringify(card));
  return folder;
}

const readOne = (card: object, bytes: Uint8Array) => {
  const [model] = readModels(join(folderOf(card, bytes), 'models')).models;
  if (!model) throw new Error('expected a model');
  return model;
};

async function stockSessions(files: Readonly<Record<string, Uint8Array>>): Promise<ReadonlyMap<string, Session>> {
  const runtime = await loadRuntime('shared');
  const module = new WebAssembly.Module(new Uint8Array(await readStockModule()));
  const started = await runtime.startStock((imports) => new WebAssembly.Instance(module, imports), files);
  return runtime.sessionsOf(started);
}

function feedsOf(session: Pick<Session, 'inputs'> | undefined, samples: number): Parameters<Session['run']>[0] {
  const random = randomNumbers(5);
  return Object.fromEntries(
    (session?.inputs ?? []).map(({ name, dtype, shape: [, ...sizes] }) => {
      const shape = [samples, ...sizes.map(Number)];
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random);
      return [name, { dtype, shape, data }];
    }),
  );
}

/**
 * Sums three values of each channel over the samples: the mean over positions, the mean of squares, and the square of
 * the mean.
 */
function sumsOf(values: ArrayLike<number>, [samples = 0, channels = 0]: readonly number[]) {
  const size = values.length / (samples * channels);
  const means = (of: (value: number) => number): number[][] =>
    Array.from({ length: samples }, (_, n) =>
      Array.from({ length: channels }, (_, c) => {
        const start = (n * channels + c) * size;
        return Array.from({ length: size }, (_, i) => of(values[start + i] ?? NaN)).reduce((a, b) => a + b, 0) / size;
      }),
    );
  const sum = (rows: readonly (readonly number[])[], of = (value: number) => value): number[] =>
    Array.from({ length: channels }, (_, c) => rows.reduce((all, row) => all + of(row[c] ?? NaN), 0));
  const mean = means((value) => value);
  return { mean: sum(mean), square: sum(means((value) => value ** 2)), meanSquare: sum(mean, (value) => value ** 2) };
}

const files: readonly (readonly [string, Uint8Array])[] = [
  ['mnist-cnn', readFileSync('models/mnist-cnn/model.onnx')],
  ['PyTorch, unfolded', readFileSync('test/fixtures/exporters/pytorch-unfolded/model.onnx')],
  ['onnxsim', readFileSync('test/fixtures/exporters/simplified/model.onnx')],
  ['PyTorch 1.13', readFileSync('test/bundle/foreign/pytorch.onnx')],
  ['convolutions', cnn()],
  ['dense layers', mlp()],
  ['one layer', loneBatchNorm()],
];

describe('what a watched network tells', () => {
  it.each(files)('of %s is what goes into its layers', async (_, bytes) => {
    const { about, files, ports } = readOne({ monitor: true }, bytes);
    const { model, watched = new Uint8Array() } = files;
    const sessions = await stockSessions({
      'net/model': model,
      'net/watched': watched,
      inputs: givingInputsOf(model, about.batchNorm),
    });
    const image: Image = { models: [about], sessions, switchName: '' };
    const own = createModels(image).get('net');
    if (!own) throw new Error('expected the model');
    const random = randomNumbers(7);
    const [input] = ports.inputs;
    const shape = [5, ...(input?.dims ?? []).slice(1).map(Number)];
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 3 * random() + 1);
    const sums = tally(own, new Map([[input?.name ?? '', { datatype: 'FP32', shape, data }]]), []);
    const { layers, samples } = windowOf({ start: 0, ...sums });
    const inputs = sessions.get('inputs')?.run({ [input?.name ?? '']: { dtype: 'float32', shape, data } }) ?? {};
    expect([samples, Object.keys(layers)]).toEqual([5, about.batchNorm.map(({ name }) => name)]);
    for (const layer of about.batchNorm) {
      const tensor = inputs[layer.input];
      const expected = sumsOf(tensor?.data as Float32Array, tensor?.shape ?? []);
      const got = layers[layer.name];
      layer.runningVar.forEach((variance, c) => {
        // The differences are relative to the standard deviation and the variance, in which drift is measured.
        const [sigma, n] = [Math.sqrt(variance + layer.epsilon), 5];
        const scale = Math.max(1, Math.abs(expected.mean[c] ?? NaN) / n / sigma);
        expect(Math.abs((got?.mean[c] ?? NaN) - (expected.mean[c] ?? NaN)) / n / sigma).toBeLessThan(1e-4 * scale);
        for (const key of ['square', 'meanSquare'] as const) {
          const difference = Math.abs((got?.[key][c] ?? NaN) - (expected[key][c] ?? NaN)) / n / sigma ** 2;
          expect(difference).toBeLessThan(1e-3 * Math.max(1, (expected.square[c] ?? NaN) / n / sigma ** 2));
        }
      });
    }
  });

  it('is of the input of a layer that cannot be inverted', () => {
    const model = ModelProto.decode(loneBatchNorm());
    const { node, initializer } = model.graph ?? {};
    const scale = node?.find(({ opType }) => opType === 'BatchNormalization')?.input?.[1];
    for (const tensor of initializer ?? []) {
      if (tensor.name !== scale) continue;
      const values = new Float32Array(new Uint8Array(tensor.rawData ?? []).buffer);
      values[0] = 0;
      tensor.rawData = new Uint8Array(values.buffer);
    }
    const of = (file: Uint8Array) => readOne({ monitor: true }, file).about.monitor?.layers.map((layer) => layer.of);
    expect([of(loneBatchNorm()), of(ModelProto.encode(model).finish())]).toEqual([['output'], ['input']]);
  });

  it('is told by a compiled program as well, whose answers have the same bits', async () => {
    const { files, samples } = readOne({ monitor: true }, cnn());
    const runtime = await loadRuntime('shared');
    const options = { samples, fma: false, weights: 'float32' } as const;
    const programs = await Promise.all(
      [files.model, files.watched ?? new Uint8Array()].map((file) => compileProven(runtime, 'net', file, options)),
    );
    const [plain, watched] = programs.map((made) => {
      if ('reason' in made) throw new Error(made.reason);
      return new runtime.ProgramSession('net', new WebAssembly.Module(made.wasm.slice()), made.record);
    });
    const feeds = feedsOf(plain, 1);
    const answer = plain?.outputs[0]?.name ?? '';
    expect(watched?.run(feeds)[answer]).toEqual(plain?.run(feeds)[answer]);
    expect(watched?.outputs.map(({ name }) => name)).toEqual([answer, 'bn-edge/moments']);
  });
});

describe('a model that is not monitored', () => {
  it('has nothing of it in what the image is made of', () => {
    const made = [{}, { monitor: false }, { monitor: true }].map((card) => readOne(card, mlp()));
    const [none, off, on] = made.map(({ file: _, ...model }) => model);
    expect(off).toEqual(none);
    expect([Object.keys(none?.files ?? {}), Object.keys(on?.files ?? {})]).toEqual([['model'], ['model', 'watched']]);
    expect(on?.files.model).toEqual(none?.files.model);
  });

  it('answers with the bits of the image that a monitored one is beside', async () => {
    const made = async (card: object): Promise<ReadonlyMap<string, Session>> => {
      const folder = folderOf(card, mlp({ hidden: 8 }));
      const out = join(folder, 'image');
      await buildImage({ models: join(folder, 'models'), out, unoptimized: true });
      const { sessions } = (await import(join(out, 'image.mjs'))) as Image;
      return sessions;
    };
    const [plain, monitored] = [await made({}), await made({ monitor: true })];
    expect([[...plain.keys()], [...monitored.keys()]]).toEqual([['net/model'], ['net/model', 'net/watched']]);
    const session = plain.get('net/model');
    const feeds = feedsOf(session, 3);
    expect(monitored.get('net/model')?.run(feeds)).toEqual(session?.run(feeds));
  }, 400_000);

  it('has a Worker without any of the code that counts', async () => {
    const inputsOf = async (entry: string) => {
      const { metafile } = await build({ entryPoints: [entry], bundle: true, write: false, metafile: true, format: 'esm', external: ['cloudflare:*'] }); // oxfmt-ignore
      const [output] = Object.values(metafile.outputs);
      return Object.entries(output?.inputs ?? {}).flatMap(([path, { bytesInOutput }]) =>
        path.startsWith('worker/drift/') && bytesInOutput > 0 ? [path] : [],
      );
    };
    const counting = ['sums', 'tally', 'watch', 'drift-monitor'].map((name) => `worker/drift/${name}.ts`);
    expect(await inputsOf('worker/drift/index.ts')).toEqual(expect.arrayContaining(counting));
    const own = await inputsOf('worker/create-worker.ts');
    expect(own.filter((path) => counting.includes(path))).toEqual([]);
  });
});
