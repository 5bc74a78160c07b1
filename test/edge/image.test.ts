import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import { sealedStart } from '../../exporter/edge/stages/allocations.ts';
import { loadRuntime } from '../../exporter/edge/bundle.ts';
import type { Runtime } from '../../exporter/edge/bundle.ts';
import { sessionOf } from '../../exporter/edge/cases/cases.ts';
import type { Outcome, Subject } from '../../exporter/edge/cases/cases.ts';
import { makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import type { EdgeImage } from '../../exporter/edge/image.ts';
import type { Models, SessionRecord } from '../../exporter/edge/runtime/index.ts';
import { Trials } from '../../exporter/edge/cases/trials.ts';
import { describeDifference, outcomesOf, sessionBytes, verify } from '../../exporter/edge/cases/verify.ts';
import * as wasm from '../../exporter/edge/wasm/module.ts';
import type { SampleArray } from '../../exporter/store/samples.ts';
import { cnn, foreign, lookup } from './fixtures.ts';
import { ingredientsOf, startImage, startReference } from './subjects.ts';

const models: Models = {
  cnn: cnn({ channels: [4, 8], hidden: 16 }),
  'batch-statistics': cnn({ channels: [4, 8], hidden: 16, trainingMode: true }),
  foreign: foreign(),
  lookup: lookup(),
};

/** Images of digits, in the size of the `pixels` input. */
const digits: SampleArray = {
  where: 'samples.npz: x',
  shape: [40, 1, 28, 28],
  data: Uint8Array.from({ length: 40 * 784 }, (_, i) => (i * 37) % 256),
};

const ingredients = () => ingredientsOf(models, { cnn: digits, foreign: digits });

let runtime: Runtime;
let made: EdgeImage;

beforeAll(async () => {
  runtime = await loadRuntime('unshared');
  made = await makeImage(await ingredients());
});

const start = () => startImage(made);

function answer(subject: Subject, model: string, size = 1) {
  const session = sessionOf(subject, model);
  return session.run(makeFeeds(runtime, session.inputs, { all: size }, 'pixels'));
}

describe('a specialised image', () => {
  it('is verified by many cases for each model, and by the samples that there are', () => {
    const batches = { growing: 9, alone: 40 };
    const { cnn = 0, 'batch-statistics': other = 0, foreign = 0 } = made.verified;
    expect(other).toBeGreaterThan(200);
    expect(cnn - other).toBe(batches.growing);
    expect(foreign).toBeGreaterThan(200 + batches.alone);
  });

  it('is told apart by model: what each has put into its memory is nearly the weights and no more', () => {
    const bytes = (name: string) => made.shares[name]?.filter((byte) => byte !== 0).length ?? 0;
    const weights = 4 * (784 * 32 + 32 + 32 * 10 + 10);
    expect(bytes('foreign')).toBeGreaterThan(0.9 * weights);
    expect(bytes('foreign')).toBeLessThan(1.3 * weights);
    expect(bytes('lookup')).toBeLessThan(0.3 * weights);
  });

  it('keeps a small part of the functions', () => {
    expect(made.functions.kept).toBeLessThan(made.functions.stock / 20);
  });

  it('is the same, byte for byte, when it is made again', async () => {
    const again = await makeImage(await ingredients());
    expect(Buffer.compare(again.wasm, made.wasm)).toBe(0);
    expect(again.manifest).toEqual(made.manifest);
  });

  it('knows the inputs and outputs of a model', async () => {
    const { inputs, outputs } = sessionOf(await start(), 'lookup');
    expect(inputs).toMatchObject([
      { name: 'indices', dtype: 'int64', shape: ['N'] },
      { name: 'mask', dtype: 'bool', shape: ['N'] },
      { name: 'fallback', dtype: 'float32', shape: [4] },
    ]);
    expect(outputs).toMatchObject([{ name: 'embedded', dtype: 'float32', shape: ['N', 4] }]);
  });

  it('gives a sample alone, on bound tensors, what it gives on tensors of its own', async () => {
    const image = await start();
    const { binding, ...unbound } = image.sessions['cnn'] ?? {};
    expect(binding).toBeDefined();
    const alone = { ...image, sessions: { cnn: unbound as SessionRecord } };
    expect(describeDifference(answer(alone, 'cnn'), answer(image, 'cnn'))).toBeUndefined();
  });

  it('keeps nothing of a request for the next, also if the one between fails', async () => {
    const session = sessionOf(await start(), 'lookup');
    const feeds = (index: bigint) => ({
      indices: { dtype: 'int64', shape: [1], data: BigInt64Array.of(index) } as const,
      mask: { dtype: 'bool', shape: [1], data: Uint8Array.of(1) } as const,
      fallback: { dtype: 'float32', shape: [4], data: new Float32Array(4) } as const,
    });
    const before = session.run(feeds(1n));
    const copy = structuredClone(before);
    expect(describeDifference(before, session.run(feeds(2n)))).toBeDefined();
    expect(() => session.run(feeds(99n))).toThrow('out of data bounds');
    expect(before).toEqual(copy);
    expect(describeDifference(before, session.run(feeds(1n)))).toBeUndefined();
  });

  it('traps where a request would read what was sealed off', async () => {
    const image = await start();
    image.instance.heap.setWords(image.sessions['cnn']?.handle ?? 0, Array<number>(sessionBytes / 4).fill(sealedStart));
    const stranded = { ...image, instance: { ...image.instance, restore: () => undefined } };
    expect(() => answer(stranded, 'cnn')).toThrow('model cnn trapped twice: RuntimeError: memory access out of bounds');
  });

  it('answers an over-large batch with a clean error, and the next request as before', async () => {
    const image = await start();
    const before = answer(image, 'cnn');
    expect(() => answer(image, 'cnn', 20_000)).toThrow(
      expect.objectContaining({ name: 'InferenceError', outOfMemory: true }) as Error,
    );
    expect(runtime.pagesOf(image.instance.heap.memory)).toBeLessThanOrEqual(runtime.memoryCapPages);
    expect(describeDifference(before, answer(image, 'cnn'))).toBeUndefined();
  });

  it('passes on what ONNX Runtime says of a bad index', async () => {
    const session = sessionOf(await start(), 'lookup');
    const feeds = {
      indices: { dtype: 'int64', shape: [1], data: BigInt64Array.of(99n) },
      mask: { dtype: 'bool', shape: [1], data: Uint8Array.of(1) },
      fallback: { dtype: 'float32', shape: [4], data: new Float32Array(4) },
    } as const;
    expect(() => session.run(feeds)).toThrow(/indices element out of data bounds, idx=99/);
  });

  it('starts and recovers where an instance is made in the background only', async () => {
    const instance = vi.spyOn(WebAssembly, 'Instance').mockImplementation(function () {
      throw new RangeError('WebAssembly.Instance is disallowed on the main thread');
    });
    onTestFinished(() => {
      instance.mockRestore();
    });
    const image = await start();
    const before = answer(image, 'cnn');
    const handle = image.sessions['cnn']?.handle ?? 0;
    image.instance.heap.bytes.fill(0xff, handle, handle + sessionBytes);
    expect(describeDifference(before, answer(image, 'cnn'))).toBeUndefined();
  });

  it('recovers from 50 traps in a row without using more memory', async () => {
    const image = await start();
    const before = answer(image, 'cnn');
    for (let i = 0; i < 50; i++) {
      const handle = image.sessions['cnn']?.handle ?? 0;
      image.instance.heap.bytes.fill(0xff, handle, handle + sessionBytes);
      expect(describeDifference(before, answer(image, 'cnn'))).toBeUndefined();
    }
    expect(runtime.pagesOf(image.instance.heap.memory)).toBe(made.manifest.pages);
    expect(image.instance.ort.stackSave()).toBe((await start()).instance.ort.stackSave());
  });

  it('leaks nothing over 100,000 requests', async () => {
    const image = await start();
    const session = sessionOf(image, 'foreign');
    const feeds = makeFeeds(runtime, session.inputs, { all: 1 }, 'unit');
    const { ort, heap } = image.instance;
    const probe = () => {
      const block = ort._malloc(100_000);
      ort._free(block);
      return { block, stack: ort.stackSave(), pages: runtime.pagesOf(heap.memory) };
    };
    session.run(feeds);
    const before = probe();
    for (let i = 0; i < 100_000; i++) session.run(feeds);
    expect(probe()).toEqual(before);
  });
});

describe('verification', () => {
  it('names model and case if the weights of one model differ', async () => {
    const reference = await startReference({ ...models, foreign: foreign(99) });
    const known = { samples: {}, sizes: {} };
    const trials = new Trials(reference, () => Promise.reject(new Error('stock trapped')));
    const proof = { reference: outcomesOf(trials, known), image: await start(), known };
    await expect(verify(proof)).rejects.toThrow(
      /^internal: edge image, model foreign, .*: output logits: expected .* at 0, got .*EDGE_RUNTIME=stock/,
    );
  });

  it('fails the build if a function that is needed is missing', async () => {
    const broken = {
      ...(await ingredients()),
      optimize: (module: Uint8Array) => Promise.resolve(trapInLargest(module)),
    };
    await expect(makeImage(broken)).rejects.toThrow(/^internal: edge image, model .*trapped/);
  });

  it.each([
    ['equal bits', float32(NaN, 0), float32(NaN, 0), undefined],
    ['another sign of zero', float32(1, 0), float32(1, -0), 'output y: expected 0 at 1, got 0'],
    ['another shape', float32(1), float32(1, 2), 'output y: expected float32 [1], got float32 [2]'],
    ['an error instead of outputs', float32(1), 'no', 'expected outputs, got "no"'],
    ['another error', 'yes', 'no', 'expected "yes", got "no"'],
  ])('tells %s', (_, expected, got, difference) => {
    expect(describeDifference(expected, got)).toBe(difference);
  });
});

function float32(...values: number[]): Outcome {
  return { y: { dtype: 'float32', shape: [values.length], data: Float32Array.from(values) } };
}

/** Makes the longest function trap. It is a matrix product, which every model needs. */
function trapInLargest(module: Uint8Array): Uint8Array {
  const sections = wasm.parseModule(module);
  const bodies = wasm.parseBodies(sections);
  const longest = Math.max(...bodies.map(({ length }) => length));
  const broken = bodies.map((body) => (body.length === longest ? Uint8Array.of(0, 0, 0x0b) : body));
  return wasm.encodeModule(wasm.replaceSections(sections, { [wasm.section.code]: wasm.encodeBodies(broken) }));
}
