/** The Worker answers what clients and tools of Triton and MLServer send beyond the protocol and beyond inference. */
import { describe, expect, it } from 'vitest';
import { createWorker } from '../../worker/create-worker.ts';
import { call, pixels, post } from './client.ts';
import { ask, imageOf, jsonRequest, samples } from './images.ts';

const infer = '/v2/models/digits/infer';
const one = pixels(1);
const request = (more: object = {}, input: object = {}): object => ({ ...more, inputs: [{ ...one, ...input }] });

/** A Worker whose model returns its input. */
const echo = createWorker(
  imageOf({ name: 'echo', kind: 'logits', shape: ['N', 3], labels: ['a', 'b', 'c'] }, { name: 'bare', shape: ['N'] }),
  { log: false },
);

interface Output {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
}

const outputsOf = (body: unknown): readonly Output[] => (body as { outputs: readonly Output[] }).outputs;

async function packed(value: object, format: 'gzip' | 'deflate'): Promise<Uint8Array> {
  const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

describe('a body', () => {
  it.each([
    undefined,
    '',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
    'Application/JSON; charset=utf-8',
  ])('of the content type %o is JSON', async (type) => {
    const body = new TextEncoder().encode(JSON.stringify(request()));
    const headers = type === undefined ? {} : { 'content-type': type };
    const { body: expected } = await post(infer, request());
    expect(await call(infer, { method: 'POST', body, headers })).toMatchObject({ status: 200, body: expected });
    const classify = await call('/v2/models/digits/classify', { method: 'POST', body });
    expect(classify.status).toBe(200);
  });

  it.each(['gzip', 'deflate'] as const)('may come as %s', async (format) => {
    const { body: expected } = await post(infer, request());
    const answer = await post(infer, await packed(request(), format), { 'content-encoding': format });
    expect(answer).toMatchObject({ status: 200, body: expected });
  });

  it('may be bytes behind JSON, compressed as a whole', async () => {
    const { data, ...input } = one;
    const bytes = new Uint8Array(Float32Array.from(data).buffer);
    const json = JSON.stringify({ inputs: [{ ...input, parameters: { binary_data_size: bytes.length } }] });
    const stream = new Blob([json, bytes]).stream().pipeThrough(new CompressionStream('gzip'));
    const body = new Uint8Array(await new Response(stream).arrayBuffer());
    const headers = { 'content-encoding': 'gzip', 'inference-header-content-length': String(json.length) };
    const { body: expected } = await post(infer, request());
    expect(await post(infer, body, headers)).toMatchObject({ status: 200, body: expected });
  });

  it('is refused where it inflates beyond the limit', async () => {
    const bomb = await packed({ inputs: ' '.repeat(9 * 2 ** 20) }, 'gzip');
    expect(bomb.byteLength).toBeLessThan(10_000);
    const error = `body: expected at most ${8 * 2 ** 20} bytes when inflated, got more`;
    expect(await post(infer, bomb, { 'content-encoding': 'gzip' })).toMatchObject({ status: 413, body: { error } });
  });
});

describe('optional members', () => {
  it.each<[string, object]>([
    ['null', request({ id: null, parameters: null, outputs: null }, { parameters: null })],
    [
      'null inside',
      request({ outputs: [{ name: 'logits', parameters: null }] }, { parameters: { binary_data_size: null } }),
    ],
    [
      'objects',
      request({ parameters: { headers: { a: [1] } } }, { parameters: { content_type: 'np', shape: [1, null] } }),
    ],
    [
      'unknown',
      request({ outputs: [{ name: 'logits', parameters: { content_type: 'np' } }], priority: 3 }, { extra: 1 }),
    ],
    ['of a sequence', request({ parameters: { sequence_id: 3, sequence_start: true, priority: 1, timeout: 10 } })],
  ])('may be %s', async (_, body) => {
    const { body: expected } = await post(infer, request());
    expect(await post(infer, body)).toMatchObject({ status: 200, body: expected });
  });

  it('may be null for options', async () => {
    const path = '/v2/models/digits/classify';
    const parameters = { top_k: null, image: null, statistics: null };
    const { body: expected } = await post(path, request());
    expect(await post(path, request({ parameters }))).toMatchObject({ status: 200, body: expected });
  });

  it.each<[string, object, string]>([
    [
      'of an input',
      request({}, { parameters: { shared_memory_region: 'a', shared_memory_byte_size: 4 } }),
      'inputs[0].parameters.shared_memory_region: expected none, as no memory is shared here, got a string',
    ],
    [
      'of an output',
      request({ outputs: [{ name: 'logits', parameters: { shared_memory_region: 'a' } }] }),
      'outputs[0].parameters.shared_memory_region: expected none, as no memory is shared here, got a string',
    ],
  ])('refuse shared memory %s', async (_, body, error) => {
    expect(await post(infer, body)).toMatchObject({ status: 400, body: { error } });
  });

  it('inherit nothing from a member called __proto__', async () => {
    const body = JSON.stringify(request()).replace('{', '{"parameters": {"__proto__": {"statistics": "none"}},');
    expect(await post(infer, body)).toMatchObject({ status: 200 });
  });
});

describe('classification', () => {
  const classes = (rows: readonly (readonly number[])[], classification: unknown, more: object = {}) =>
    ask(
      echo,
      '/v2/models/echo/infer',
      samples(rows, { outputs: [{ name: 'y', parameters: { classification } }], ...more }),
    );

  it('answers the largest values of each sample with index and label', async () => {
    const { body } = await classes([[1, 2.5, -3], [0.25, 0.25, 1e30]], 2); // oxfmt-ignore
    expect(outputsOf(body)).toEqual([
      {
        name: 'y',
        datatype: 'BYTES',
        shape: [2, 2],
        data: ['2.500000:1:b', '1.000000:0:a', '1000000015047466219876688855040.000000:2:c', '0.250000:0:a'],
      },
    ]);
  });

  it.each([
    [10, [1, 3]],
    [3, [1, 3]],
    [1, [1, 1]],
  ])('of %i classes answers the shape %o', async (count, shape) => {
    expect(outputsOf((await classes([[1, 2, 3]], count)).body)[0]?.shape).toEqual(shape);
  });

  it.each([0, null])('of %o is none', async (count) => {
    expect(outputsOf((await classes([[1, 2, 3]], count)).body)[0]).toMatchObject({ datatype: 'FP32', data: [1, 2, 3] });
  });

  it('puts what is no number last', async () => {
    const row = [[1, 'NaN', '-Infinity']] as unknown as number[][];
    expect(outputsOf((await classes(row, 3)).body)[0]?.data).toEqual(['1.000000:0:a', 'nan:1:b', '-inf:2:c']);
  });

  it('answers without labels where there are none, and one class where a sample is one number', async () => {
    const input = { name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] };
    const outputs = [{ name: 'y', parameters: { classification: 3 } }];
    const { body } = await ask(echo, '/v2/models/bare/infer', jsonRequest({ inputs: [input], outputs }));
    expect(outputsOf(body)).toEqual([
      { name: 'y', datatype: 'BYTES', shape: [2, 1], data: ['1.000000:0', '2.000000:0'] },
    ]);
  });

  it('answers in bytes, each text behind its length', async () => {
    const outputs = [{ name: 'y', parameters: { classification: 1, binary_data: true } }];
    const { text, headers } = await ask(echo, '/v2/models/echo/infer', samples([[1, 2, 3]], { outputs }));
    const length = Number(headers.get('inference-header-content-length'));
    expect(outputsOf(JSON.parse(text.slice(0, length)))).toEqual([
      { name: 'y', datatype: 'BYTES', shape: [1, 1], parameters: { binary_data_size: 16 } },
    ]);
    expect(text.slice(length)).toBe('\f\0\0\x003.000000:2:c');
  });

  it.each(['three', -1, 1.5])('of %o is refused', async (count) => {
    const { status, body } = await classes([[1, 2, 3]], count);
    expect([status, body]).toEqual([
      400,
      { error: expect.stringContaining('outputs[0].parameters.classification: expected an integer from 0') as unknown },
    ]);
  });

  it('of true and false is refused', async () => {
    const inputs = ['bool', 'uint8', 'int64', 'fp16', 'fp64'].map((name) => ({
      name,
      datatype: name.toUpperCase(),
      shape: [1],
      data: [name === 'bool' ? true : 1],
    }));
    const { outputs } = (await call('/v2/models/identity')).body as { outputs: readonly Output[] };
    const bool = outputs.find(({ datatype }) => datatype === 'BOOL')?.name ?? '';
    const body = { inputs, outputs: [{ name: bool, parameters: { classification: 1 } }] };
    const error = `classification: expected an output of numbers, got ${bool} of BOOL`;
    expect(await post('/v2/models/identity/infer', body)).toMatchObject({ status: 400, body: { error } });
  });
});

describe("Triton's tools", () => {
  it('get a configuration, whose dims leave the batch out', async () => {
    const { status, body } = await call('/v2/models/digits/versions/3/config');
    expect([status, body]).toEqual([
      200,
      {
        name: 'digits',
        platform: 'onnxruntime_onnx',
        backend: 'onnxruntime',
        max_batch_size: 256,
        input: [{ name: 'pixels', data_type: 'TYPE_FP32', dims: [1, 28, 28] }],
        output: [{ name: 'logits', data_type: 'TYPE_FP32', dims: [10] }],
      },
    ]);
  });

  it('get the dims of a model without a batch whole', async () => {
    const fixed = createWorker(imageOf({ name: 'fixed', shape: [1, 3] }), { log: false });
    expect((await ask(fixed, '/v2/models/fixed/config')).body).toMatchObject({
      max_batch_size: 0,
      input: [{ dims: [1, 3] }],
    });
  });

  it('get counts of samples, requests and failures, which nobody keeps', async () => {
    const counted = createWorker(imageOf({ name: 'echo', shape: ['N', 3] }), { log: false });
    const stats = async (path: string) => {
      const { body, headers } = await ask(counted, path);
      expect(headers.get('cache-control')).toBe('no-store, no-transform');
      return (body as { model_stats: Record<string, unknown>[] }).model_stats;
    };
    expect(await stats('/v2/models/echo/stats')).toMatchObject([{ last_inference: 0, inference_count: 0 }]);
    const before = Date.now();
    await ask(counted, '/v2/models/echo/infer', samples([[1, 2, 3], [4, 5, 6]])); // oxfmt-ignore
    await ask(counted, '/v2/models/echo/infer', samples([[1, 2, 3]]));
    await ask(counted, '/v2/models/echo/infer', samples([[1, 2]]));
    for (const path of ['/v2/models/echo/stats', '/v2/models/echo/versions/1/stats', '/v2/models/stats']) {
      const [only, ...others] = await stats(path);
      expect(others).toEqual([]);
      expect(only).toMatchObject({
        name: 'echo',
        version: '1',
        inference_count: 3,
        execution_count: 2,
        inference_stats: { success: { count: 2, ns: 0 }, fail: { count: 1, ns: 0 } },
        batch_stats: [],
      });
      expect(only?.['last_inference']).toBeGreaterThanOrEqual(before);
    }
  });

  it('get the metadata of a model called stats', async () => {
    const named = createWorker(imageOf({ name: 'stats' }), { log: false });
    expect((await ask(named, '/v2/models/stats')).body).toMatchObject({ name: 'stats', platform: 'onnx_onnxv1' });
  });

  it.each([
    ['/v2', 'public, max-age=60, no-transform'],
    ['/v2/health/live', 'no-store, no-transform'],
    ['/v2/models/digits', 'public, max-age=60, no-transform'],
    ['/v2/models/nobody', 'no-store, no-transform'],
    ['/v2/models/digits/batchnorm', 'public, max-age=60'],
    ['/v1/models', 'public, max-age=60'],
    ['/openapi.json', 'public, max-age=60'],
  ])('get %s uncompressed, where they ask it: %s', async (path, expected) => {
    expect((await call(path)).headers.get('cache-control')).toBe(expected);
  });

  it('get inference and refusals of it uncompressed', async () => {
    for (const body of [request(), {}])
      expect((await post(infer, body)).headers.get('cache-control')).toBe('no-store, no-transform');
    const classified = await post('/v2/models/digits/classify', request());
    expect(classified.headers.get('cache-control')).toBe('no-store');
  });
});
