/**
 * Images of small models answer as stock does. Each model would fit a thousand times into the memory with which the
 * runtime starts.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';

import { sessionOf } from '../../exporter/edge/cases/cases.ts';
import type { Subject } from '../../exporter/edge/cases/cases.ts';
import { makeFeeds } from '../../exporter/edge/cases/feeds.ts';
import { literal } from '../../exporter/edge/image-module.ts';
import { makeImage } from '../../exporter/edge/image.ts';
import type { EdgeImage } from '../../exporter/edge/image.ts';
import { elementCount } from '../../training/arrays/index.ts';
import { describeDifference } from '../../exporter/edge/cases/verify.ts';
import { createWorker } from '../../worker/create-worker.ts';
import {
  FLOAT,
  freeColumns,
  GraphFixture,
  loneBatchNorm,
  ninetySeven,
  shapeless,
  shapelessRows,
  shapelessSum,
  table,
} from './fixtures.ts';
import { ingredientsOf, startImage, startReference } from './subjects.ts';

const models = { table: table(), 'lone-batch-norm': loneBatchNorm() };

describe.each(Object.entries(models))('an image of the model %s alone', async (name, model) => {
  const image = await startImage(await makeImage(await ingredientsOf({ [name]: model })));
  const session = sessionOf(image, name);
  const feeds = (rows: number) => makeFeeds(image.runtime, session.inputs, { all: rows }, 'unit');

  it.each([1, 300, 4096, 100_000])('answers %i rows as stock does', async (rows) => {
    const expected = sessionOf(await startReference({ [name]: model }), name).run(feeds(rows));
    expect(describeDifference(expected, session.run(feeds(rows)))).toBeUndefined();
  });

  it.each([
    ['inputs do not fit', 26_000_000],
    ['inputs fit and what is computed of them does not', 12_500_000],
  ])('refuses a batch whose %s, and answers the next one', (_, numbers) => {
    const before = session.run(feeds(2));
    const columns = Number(session.inputs[0]?.shape[1]);
    const shape = [Math.floor(numbers / columns), columns];
    const features = { dtype: 'float32', shape, data: new Float32Array(elementCount(shape)) } as const;
    expect(() => session.run({ features })).toThrow(
      expect.objectContaining({ name: 'InferenceError', outOfMemory: true }) as Error,
    );
    expect(describeDifference(before, session.run(feeds(2)))).toBeUndefined();
  });
});

describe('an image of a model whose shape leaves open what only some sizes are right for', () => {
  const x = (shape: readonly number[]) => {
    const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i));
    return { x: { dtype: 'float32', shape, data } as const };
  };

  describe('where the file or the card tells it', () => {
    const models = { free: freeColumns(), odd: ninetySeven() };
    let made: EdgeImage;

    async function bothOf(name: keyof typeof models) {
      return [sessionOf(await startImage(made), name), sessionOf(await startReference(models), name)] as const;
    }

    beforeAll(async () => {
      made = await makeImage({ ...(await ingredientsOf(models)), stated: { odd: { x: [97] } } });
    });

    it('keeps a small part of the functions', () => {
      expect(made.unknown).toEqual([]);
      expect(made.functions.kept).toBeLessThan(made.functions.stock / 4);
    });

    it('answers requests of the size that the file tells, and refuses others as stock does', async () => {
      const [image, stock] = await bothOf('free');
      for (const rows of [1, 2, 50, 5_000]) {
        const feeds = x([rows, 4]);
        expect(describeDifference(stock.run(feeds), image.run(feeds))).toBeUndefined();
      }
      expect(() => image.run(x([2, 5]))).toThrow(expect.objectContaining({ name: 'InferenceError' }) as Error);
    });

    it('answers requests of the size that the card tells', async () => {
      expect(made.sizes['odd']?.alternatives[0].named).toEqual({ n: 97 });
      const [image, stock] = await bothOf('odd');
      expect(describeDifference(stock.run(x([97])), image.run(x([97])))).toBeUndefined();
    });
  });

  it('keeps all of the runtime where no made-up input was accepted', async () => {
    const models = { odd: ninetySeven() };
    const made = await makeImage(await ingredientsOf(models));
    expect(made.unknown).toEqual(['odd']);
    const [image, stock] = [sessionOf(await startImage(made), 'odd'), sessionOf(await startReference(models), 'odd')];
    expect(describeDifference(stock.run(x([97])), image.run(x([97])))).toBeUndefined();
  });
});

describe('an image of a model whose file says no shape', () => {
  const tensor = (shape: readonly number[]) => {
    const data = Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i));
    return { dtype: 'float32', shape, data } as const;
  };

  async function bothOf(model: Uint8Array) {
    const made = await makeImage(await ingredientsOf({ model }));
    const stock = sessionOf(await startReference({ model }), 'model');
    return { made, image: sessionOf(await startImage(made), 'model'), stock };
  }

  it.each([
    ['Relu', shapeless(), [[], [3], [7, 5], [2, 2, 2], [2, 1, 3, 4], [1, 2, 3, 4, 5], [2, 1, 2, 1, 2, 1], [300, 20]]],
    ['MatMul', shapelessRows(), [[4], [1, 4], [50, 4], [3, 2, 4], [2, 3, 2, 4], [1, 2, 3, 2, 4], [5000, 4]]],
  ] as const)('answers any number of dimensions as stock does: %s', async (_, model, shapes) => {
    const { made, image, stock } = await bothOf(model);
    expect(made.unknown).toEqual([]);
    expect(made.functions.kept).toBeLessThan(made.functions.stock / 4);
    expect(image.inputs).toMatchObject([{ name: 'x', shape: [], anyShape: true }]);
    for (const shape of shapes) {
      const answers = image.run({ x: tensor(shape) });
      expect(describeDifference(stock.run({ x: tensor(shape) }), answers), `[${shape.join()}]`).toBeUndefined();
    }
    expect(() => image.run({ x: { ...tensor([2]), shape: [-2, -1] } })).toThrow(
      'model input x: expected sizes that are whole numbers, got [-2, -1]',
    );
  });

  it('keeps all of the runtime where several inputs may have any number of dimensions', async () => {
    const { made, image, stock } = await bothOf(shapelessSum());
    expect(made.unknown).toEqual(['model']);
    for (const shapes of [
      [[2, 3], [3]],
      [[], [4]],
      [
        [5, 1, 1, 2],
        [3, 1],
      ],
    ] as const) {
      const [left, right] = [tensor(shapes[0]), tensor(shapes[1])];
      expect(describeDifference(stock.run({ left, right }), image.run({ left, right }))).toBeUndefined();
    }
  });
});

/** Names that every JavaScript object has, used for inputs and free dimensions. */
const names = ['__proto__', 'constructor', 'toString'];

describe('an image of models whose inputs and free sizes are called as what every object has', () => {
  const modelWith = (name: string) => {
    const g = new GraphFixture(12);
    g.node('MatMul', [name, g.random('weight', [4, 6], 1)], 'y');
    return g.encode({ [name]: [FLOAT, ['N', name]] }, { y: ['N', 6] });
  };
  let image: Subject;

  beforeAll(async () => {
    const models = Object.fromEntries(names.map((name, i) => [`m${i}/model`, modelWith(name)]));
    const made = await makeImage(await ingredientsOf(models));
    expect(made.unknown).toEqual([]);
    image = await startImage(made);
  });

  it.each(names.map((name, i) => [name, `m${i}`]))(
    'serves %s as any other, as a tensor and by the names of its columns',
    async (name, path) => {
      const x = { name, datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] };
      const columns = ['a', 'b', 'c', 'd'].map((one) => ({ kind: 'numeric', name: one, fill: null }) as const);
      const about = { path, version: '1', explain: false, batchNorm: [], output: { name: 'y', kind: 'number' } };
      const asked = async (more: object, route: string, body: object) => {
        const models = [{ name: path, ...about, ...more } as never];
        const worker = createWorker({ models, sessions: image.runtime.sessionsOf(image), switchName: 'switch' });
        const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
        const answer = await worker.fetch(new Request(`http://worker${route}`, init), { LOG_REQUESTS: false });
        return [answer.status, await answer.json()] as const;
      };
      const [status, answer] = await asked({}, `/v2/models/${path}/infer`, { inputs: [x] });
      expect(status).toBe(200);
      const { data } = (answer as { outputs: [{ data: number[] }] }).outputs[0];
      const tables = { columns: Object.fromEntries([[name, columns]]) };
      const rows = await asked(tables, `/v1/models/${path}:predict`, { instances: [{ d: 4, c: 3, b: 2, a: 1 }] });
      expect(rows[0]).toBe(200);
      const [{ values }] = (rows[1] as { predictions: [{ values: number[] }] }).predictions;
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(data[i] ?? NaN, 5);
      });
    },
  );

  it.each(names)('has %s written into a module as it is', (name) => {
    const written: unknown = runInNewContext(`(${literal({ [name]: [1], text: `{"${name}":2}` })})`);
    expect(JSON.stringify(written)).toBe(
      JSON.stringify(
        Object.fromEntries([
          [name, [1]],
          ['text', `{"${name}":2}`],
        ]),
      ),
    );
  });
});

interface KnownInputs {
  readonly input: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

const folder = join('test', 'fixtures', 'onnx');
const known = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Readonly<Record<string, KnownInputs>>;

/** Both models make stock abort on an empty batch, which the build tries. */
describe.each(Object.entries(known))('an image of %s, on whose made-up inputs stock itself traps,', (name, row) => {
  it('answers as the exporter said, to within 1e-5', async () => {
    const model = readFileSync(join(folder, `${name}.onnx`));
    const session = sessionOf(await startImage(await makeImage(await ingredientsOf({ [name]: model }))), name);
    const { input, shape, data, outputs } = row;
    const answers = session.run({ [input]: { dtype: 'float32', shape, data: Float32Array.from(data) } });
    for (const [output, expected] of Object.entries(outputs)) {
      expected.forEach((value, i) => {
        const got = Number(answers[output]?.data[i]);
        expect(Math.abs(got - value), `${output}[${i}]: expected ${value}, got ${got}`).toBeLessThanOrEqual(1e-5);
      });
    }
  });
});
