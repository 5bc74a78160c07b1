import { describe, expect, it } from 'vitest';
import { createWorker } from '../../worker/create-worker.ts';
import { call, pixels, post, type Answer } from './client.ts';
import { ask, imageOf, layer, samples } from './images.ts';
import { expectAllClose } from '../reference/close.ts';

const explain = '/v2/models/digits/explain';

/** The parameters of the fixture's Batch Norm layer (see test/bundle/fixtures.ts). */
const gamma = [1, 0.5, 2, 1.5];
const beta = [0, 1, -1, 0.5];
const runningMean = [10, -5, 20, 0];
const runningVar = [2500, 900, 4000, 100];
const epsilon = 1e-5;

/** The elements of a channel after a valid 3 × 3 convolution of a 28 × 28 image. */
const SIZE = 26 * 26;

interface Signal {
  readonly mean: number[];
  readonly variance: number[];
  readonly minimum: number[];
  readonly maximum: number[];
  readonly counts: number[][];
  readonly data: number[];
}

interface View {
  readonly mean: number[];
  readonly variance: number[];
  readonly z: Signal;
  readonly z_hat: Signal;
  readonly z_tilde: Signal;
}

interface Explanation {
  readonly predictions: { readonly running: object; readonly batch: object };
  readonly layers: readonly { readonly name: string; readonly running: View; readonly batch: View }[];
}

const explanationOf = ({ body }: Answer): Explanation => body as Explanation;

function layerOf(answer: Answer): Explanation['layers'][number] {
  const [layer] = explanationOf(answer).layers;
  if (layer === undefined) throw new Error(`no layer in ${JSON.stringify(answer.body)}`);
  return layer;
}

/** Computes the fixture's weights independently of the fixture. */
function weights(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (Math.imul(i + 1 + seed * 1000, 2654435761) >>> 8) / 2 ** 24 - 0.5);
}

/** Computes z, `[N, 4, 26, 26]`. */
function convolve(images: readonly number[], batch: number): number[] {
  const kernel = weights(1, 36);
  return Array.from({ length: batch * 4 * SIZE }, (_, at) => {
    const [n, o, y, x] = [
      Math.floor(at / (4 * SIZE)),
      Math.floor(at / SIZE) % 4,
      Math.floor((at % SIZE) / 26),
      at % 26,
    ];
    let sum = 0;
    for (let k = 0; k < 9; k++) {
      const pixel = n * 784 + (y + Math.floor(k / 3)) * 28 + x + (k % 3);
      sum += (kernel[o * 9 + k] ?? NaN) * (images[pixel] ?? NaN);
    }
    return sum;
  });
}

/** Returns the values of one channel over all samples. */
const channel = (z: readonly number[], c: number): number[] => z.filter((_, i) => Math.floor(i / SIZE) % 4 === c);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]): number => mean(values.map((value) => (value - mean(values)) ** 2));

function expectView(view: View, z: readonly number[], mu: readonly number[], sigma2: readonly number[]): void {
  const normalized = z.map((value, i) => {
    const c = Math.floor(i / SIZE);
    return (value - (mu[c] ?? NaN)) / Math.sqrt((sigma2[c] ?? NaN) + epsilon);
  });
  expectAllClose('mean', view.mean, mu, { rtol: 2e-6, atol: 2e-6 });
  expectAllClose('variance', view.variance, sigma2, { rtol: 2e-6, atol: 2e-6 });
  expectAllClose('z', view.z.data, z, { rtol: 2e-5, atol: 2e-5 });
  expectAllClose('z_hat', view.z_hat.data, normalized, { rtol: 2e-5, atol: 2e-5 });
  const tilde = normalized.map(
    (value, i) => (gamma[Math.floor(i / SIZE)] ?? NaN) * value + (beta[Math.floor(i / SIZE)] ?? NaN),
  );
  expectAllClose('z_tilde', view.z_tilde.data, tilde, { rtol: 2e-5, atol: 2e-5 });
}

/** Expects a summary to match its own data. */
function expectSummary({ data, mean: means, variance: variances, minimum, maximum, counts }: Signal): void {
  const channels = [0, 1, 2, 3].map((c) => data.slice(c * SIZE, (c + 1) * SIZE));
  expectAllClose('means', means, channels.map(mean), { rtol: 2e-6, atol: 2e-6 });
  expectAllClose('variances', variances, channels.map(variance), { rtol: 2e-5, atol: 2e-5 });
  expectAllClose(
    'minimum',
    minimum,
    channels.map((values) => Math.min(...values)),
    { rtol: 2e-6, atol: 2e-6 },
  );
  expectAllClose(
    'maximum',
    maximum,
    channels.map((values) => Math.max(...values)),
    { rtol: 2e-6, atol: 2e-6 },
  );
  expect(counts.map((bins) => bins.reduce((a, b) => a + b, 0))).toEqual([SIZE, SIZE, SIZE, SIZE]);
}

describe('batchnorm', () => {
  it('answers the layer as the file stores it, and the affine map it folds into', async () => {
    const { body } = await call('/v2/models/digits/batchnorm');
    const scale = gamma.map((value, c) => value / Math.sqrt((runningVar[c] ?? NaN) + epsilon));
    const shift = beta.map((value, c) => value - (runningMean[c] ?? NaN) * (scale[c] ?? NaN));
    const [layer] = (body as { layers: { scale: number[]; shift: number[] }[] }).layers;
    expect(body).toMatchObject({
      model_name: 'digits',
      model_version: '3',
      layers: [
        {
          name: 'zt',
          channels: 4,
          epsilon,
          momentum: 0.9,
          gamma,
          beta,
          running_mean: runningMean,
          running_var: runningVar,
        },
      ],
    });
    expectAllClose('scale', layer?.scale, scale, { rtol: 5e-7, atol: 5e-7 });
    expectAllClose('shift', layer?.shift, shift, { rtol: 5e-7, atol: 5e-7 });
  });

  it('answers no layers for a model without', async () => {
    expect((await call('/v2/models/identity/batchnorm')).body).toMatchObject({ layers: [] });
  });
});

describe('explain', () => {
  it('normalizes with the running statistics and with those of the batch, by the formulas', async () => {
    const input = pixels(3);
    const answer = await post(explain, { parameters: { sample: 1, tensors: true }, inputs: [input] });
    expect(answer.body).toMatchObject({
      model_name: 'digits',
      batch_size: 3,
      sample: 1,
      layers: [{ shape: [4, 26, 26] }],
    });
    const z = convolve(input.data, 3);
    const own = z.slice(4 * SIZE, 8 * SIZE);
    const { running, batch } = layerOf(answer);
    const channels = [0, 1, 2, 3].map((c) => channel(z, c));
    expectView(running, own, runningMean, runningVar);
    expectView(batch, own, channels.map(mean), channels.map(variance));
    for (const signal of [running.z, running.z_hat, running.z_tilde, batch.z, batch.z_hat, batch.z_tilde])
      expectSummary(signal);
  });

  it('predicts what classify does, by either statistics', async () => {
    const inputs = [pixels(2)];
    const { predictions } = explanationOf(await post(explain, { inputs }));
    for (const statistics of ['running', 'batch'] as const) {
      const answer = await post('/v2/models/digits/classify', { parameters: { statistics }, inputs });
      expect(predictions[statistics]).toEqual((answer.body as { predictions: unknown[] }).predictions[0]);
    }
  });

  it('answers with running statistics as before, after any number of other requests', async () => {
    const request = { inputs: [pixels(2)] };
    const before = await post(explain, request);
    for (const from of [3, 5, 7])
      await post('/v2/models/digits/infer', { parameters: { statistics: 'batch' }, inputs: [pixels(4, from)] });
    expect((await post(explain, request)).body).toEqual(before.body);
  });

  it('changes nothing under running statistics when the neighbours change, and the mean of the batch', async () => {
    const images = (first: number, second: number): object => {
      const [a, b] = [pixels(1, first), pixels(1, second)];
      return { inputs: [{ ...a, shape: [2, 1, 28, 28], data: [...a.data, ...b.data] }] };
    };
    const [one, other] = [layerOf(await post(explain, images(0, 1))), layerOf(await post(explain, images(0, 5)))];
    expect(other.running).toEqual(one.running);
    expect(other.batch.mean).not.toEqual(one.batch.mean);
  });

  it('counts as many bins as asked for, and leaves the tensors out', async () => {
    const { running } = layerOf(await post(explain, { parameters: { bins: 5 }, inputs: [pixels(1)] }));
    expect(running.z.counts.map(({ length }) => length)).toEqual([5, 5, 5, 5]);
    expect(running.z).not.toHaveProperty('data');
  });

  it.each([
    [explain, { sample: 1 }, 400, 'sample: expected one of 1, counted from 0, got 1'],
    [explain, { bins: 0 }, 400, 'bins: expected an integer from 1 to 64, got 0'],
    [explain, { tensors: 'yes' }, 400, 'tensors: expected true or false, got a string'],
  ])('refuses at %s the options %o', async (path, parameters, status, error) => {
    expect(await post(path, { parameters, inputs: [pixels(1)] })).toMatchObject({ status, body: { error } });
  });

  const card = 'set "explain": true in models/echo/card.json and build again';
  it.each([
    ['without Batch Norm layers', {}, 'it has no Batch Norm layers'],
    ['whose card does not ask for it', { batchNorm: [layer] }, card],
    [
      'of too old an opset',
      { batchNorm: [layer], explain: true, twin: false, noTwin: 'it is of opset 13, and the switch needs 14' },
      'it is of opset 13, and the switch needs 14',
    ],
  ])('and its statistics refuse a model %s', async (_, echo, why) => {
    const worker = createWorker(imageOf({ name: 'echo', kind: 'logits', ...echo }));
    const batch = samples([[1, 2]], { parameters: { statistics: 'batch' } });
    const explained = await ask(worker, '/v2/models/echo/explain', samples([[1, 2]]));
    expect([explained.status, explained.body]).toEqual([
      404,
      { error: `explain: expected a model with a twin, got echo: ${why}` },
    ]);
    for (const path of ['/v2/models/echo/infer', '/v2/models/echo/classify']) {
      const { status, body } = await ask(worker, path, batch);
      expect([status, body]).toEqual([400, { error: `statistics: expected "running" for echo, got "batch": ${why}` }]);
    }
  });

  it('looks into a model that predicts a number, or nobody knows what', async () => {
    for (const kind of [{ kind: 'number' }, {}] as const) {
      const worker = createWorker(imageOf({ name: 'echo', explain: true, batchNorm: [layer], ...kind }));
      const { status, body } = await ask(worker, '/v2/models/echo/explain', samples([[1, 2]]));
      expect([status, body]).toMatchObject([200, { layers: [{ name: 'norm', channels: 2 }] }]);
      expect(body).not.toHaveProperty('predictions');
    }
  });

  it('refuses a model without Batch Norm', async () => {
    const inputs = ['left', 'right'].map((name) => ({ name, datatype: 'FP32', shape: [1], data: [1] }));
    const error = 'explain: expected a model with a twin, got arithmetic: it has no Batch Norm layers';
    expect(await post('/v2/models/arithmetic/explain', { inputs })).toMatchObject({ status: 404, body: { error } });
  });
});
