import { describe, expect, it } from 'vitest';
import { call, outputData, pixels, post } from './client.ts';

const infer = '/v2/models/digits/infer';

/** Returns the largest absolute difference between two lists of logits. */
function difference(left: unknown[], right: unknown[]): number {
  expect(left).toHaveLength(right.length);
  return Math.max(...left.map((value, i) => Math.abs(Number(value) - Number(right[i]))));
}

describe('infer', () => {
  it("answers the protocol's response object", async () => {
    const { status, body } = await post(infer, { id: 'sept \uFFFD', inputs: [pixels(2)] });
    expect(status).toBe(200);
    expect(body).toEqual({
      model_name: 'digits',
      model_version: '3',
      id: 'sept \uFFFD',
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [2, 10], data: expect.any(Array) as unknown }],
    });
  });

  it('answers the same under the version path', async () => {
    const request = { inputs: [pixels(1)] };
    const versioned = await post('/v2/models/digits/versions/3/infer', request);
    expect(versioned.body).toEqual((await post(infer, request)).body);
  });

  it('takes nested data', async () => {
    const flat = pixels(2);
    const rows = Array.from({ length: 56 }, (_, row) => flat.data.slice(row * 28, row * 28 + 28));
    const nested = { ...flat, data: [[rows.slice(0, 28)], [rows.slice(28)]] };
    const answers = [await post(infer, { inputs: [flat] }), await post(infer, { inputs: [nested] })];
    expect(answers[1]?.body).toEqual(answers[0]?.body);
  });

  it("casts other numeric datatypes to the model's", async () => {
    const request = pixels(1);
    const asFloat = await post(infer, { inputs: [request] });
    for (const datatype of ['UINT8', 'INT64', 'FP64']) {
      expect((await post(infer, { inputs: [{ ...request, datatype }] })).body).toEqual(asFloat.body);
    }
  });

  it('passes every datatype through unchanged', async () => {
    const values = {
      bool: ['BOOL', [true, false]],
      uint8: ['UINT8', [0, 255]],
      int64: ['INT64', [-(2 ** 53) + 1, 2 ** 53 - 1]],
      fp16: ['FP16', [0.5, -65504]],
      fp64: ['FP64', [Math.PI, -1e300]],
    } as const;
    const inputs = Object.entries(values).map(([name, [datatype, data]]) => ({ name, datatype, shape: [2], data }));
    const answer = await post('/v2/models/identity/infer', { inputs });
    for (const { name, data } of inputs) expect(outputData(answer, `${name}_out`)).toEqual(data);
  });

  it('answers only the outputs that the request names, in its order', async () => {
    const inputs = ['left', 'right'].map((name) => ({ name, datatype: 'FP32', shape: [2], data: [6, 3] }));
    const namesFor = async (outputs?: { name: string }[]): Promise<string[]> => {
      const { body } = await post('/v2/models/arithmetic/infer', { inputs, outputs });
      return (body as { outputs: { name: string }[] }).outputs.map(({ name }) => name);
    };
    expect(await namesFor([{ name: 'quotient' }])).toEqual(['quotient']);
    expect(await namesFor([{ name: 'quotient' }, { name: 'sum' }])).toEqual(['quotient', 'sum']);
    expect(await namesFor([])).toEqual(['sum', 'quotient']);
    expect(await namesFor()).toEqual(['sum', 'quotient']);
  });

  it('writes values that JSON numbers cannot hold as strings', async () => {
    const tensor = (name: string, data: number[]) => ({ name, datatype: 'FP32', shape: [3], data });
    const inputs = [tensor('left', [1, -1, 0]), tensor('right', [0, 0, 0])];
    const answer = await post('/v2/models/arithmetic/infer', { inputs });
    expect(outputData(answer, 'quotient')).toEqual(['Infinity', '-Infinity', 'NaN']);
  });

  it('takes null as NaN and infinities as they go out, among floating-point numbers', async () => {
    const left = { name: 'left', datatype: 'FP32', shape: [3], data: [null, 'Infinity', '-Infinity'] };
    const inputs = [left, { ...left, name: 'right', data: [1, 1, 1] }];
    expect(outputData(await post('/v2/models/arithmetic/infer', { inputs }), 'sum')).toEqual([
      'NaN',
      'Infinity',
      '-Infinity',
    ]);
  });

  it('takes NaN as such a string, among floating-point numbers', async () => {
    const tensor = (name: string, data: unknown[]) => ({ name, datatype: 'FP32', shape: [2], data });
    const inputs = [tensor('left', ['NaN', 6]), tensor('right', [1, 2])];
    expect(outputData(await post('/v2/models/arithmetic/infer', { inputs }), 'quotient')).toEqual(['NaN', 3]);
  });

  it('tolerates parameters and members it does not know', async () => {
    const parameters = { priority: 1, trace: true, note: 'x' };
    const inputs = [{ ...pixels(1), parameters }];
    const request = { parameters, inputs, outputs: [{ name: 'logits', parameters }], extra: { deep: [1] } };
    expect((await post(infer, request, { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
  });

  it('answers a sample alone as it does among others, with running statistics', async () => {
    const parameters = { statistics: 'running' };
    const alone = await post(infer, { parameters, inputs: [pixels(1)] });
    const among = await post(infer, { parameters, inputs: [pixels(64)] });
    expect(difference(outputData(alone, 'logits'), outputData(among, 'logits').slice(0, 10))).toBeLessThanOrEqual(1e-5);
    expect(alone.body).toMatchObject({ parameters });
  });

  it('answers a sample by its neighbours, with mini-batch statistics', async () => {
    const parameters = { statistics: 'batch' };
    const alone = await post(infer, { parameters, inputs: [pixels(1)] });
    const among = await post(infer, { parameters, inputs: [pixels(64)] });
    expect(difference(outputData(alone, 'logits'), outputData(among, 'logits').slice(0, 10))).toBeGreaterThan(1e-3);
    expect(alone.body).toMatchObject({
      parameters: { ...parameters, note: expect.stringContaining('its own mean') as unknown },
    });
    expect(among.body).toMatchObject({ parameters: { note: expect.stringContaining('these 64 samples') as unknown } });
  });

  it('answers HEAD as GET, without a body', async () => {
    const { exports } = await import('cloudflare:workers');
    const response = await exports.default.fetch('http://worker/v2', { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect((await call('/v2')).status).toBe(200);
  });
});
