import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import worker from '../../worker/index.ts';
import { call, pixels, post } from './client.ts';
import { bodies, one, SECRET, withInput, type Case } from './malformed.ts';

const digits = '/v2/models/digits/infer';
const identity = '/v2/models/identity/infer';
const arithmetic = '/v2/models/arithmetic/infer';

/** The default limit of a body, in bytes. */
const limit = 8 * 2 ** 20;

const withFirst = (value: unknown): object => withInput({ data: [value, ...one.data.slice(1)] });
const nest = (image: unknown): object => withInput({ data: [[image]] });
const vector = (name: string, datatype: string, data: unknown[]): object => ({
  name,
  datatype,
  shape: [data.length],
  data,
});
const identityInputs = (change: Record<string, unknown>): object => {
  const inputs = { bool: [true], uint8: [1], int64: [1], fp16: [1], fp64: [1], ...change };
  return {
    inputs: Object.entries(inputs).map(([name, data]) => vector(name, name.toUpperCase(), data as unknown[])),
  };
};

const tensors: Case[] = [
  { name: 'no tensor', body: { inputs: [] }, error: 'inputs: expected tensor pixels, got nothing' },
  { name: 'an unknown tensor', body: withInput({ name: 'image' }), error: 'inputs: expected pixels, got "image"' },
  {
    name: 'a long unknown name',
    body: withInput({ name: 'x'.repeat(1000) + SECRET }),
    error: `inputs: expected pixels, got "${'x'.repeat(40)}…"`,
  },
  {
    name: 'a tensor twice',
    body: { inputs: [one, one] },
    error: 'inputs: expected each tensor once, got pixels twice',
  },
  {
    name: 'an unknown output',
    body: { inputs: [one], outputs: [{ name: 'label' }] },
    error: 'outputs: expected logits, got "label"',
  },
  {
    name: 'an output twice',
    body: { inputs: [one], outputs: [{ name: 'logits' }, { name: 'logits' }] },
    error: 'outputs: expected each tensor once, got logits twice',
  },
  {
    name: 'another rank',
    body: withInput({ shape: [1, 784] }),
    error: 'tensor pixels: expected shape [-1, 1, 28, 28], got [1, 784]',
  },
  {
    name: 'another size',
    body: withInput({ shape: [1, 1, 28, 27] }),
    error: 'tensor pixels: expected shape [-1, 1, 28, 28], got [1, 1, 28, 27]',
  },
  {
    name: 'a negative dimension',
    body: withInput({ shape: [-1, 1, 28, 28] }),
    error: 'tensor pixels: expected shape [-1, 1, 28, 28], got [-1, 1, 28, 28]',
  },
  {
    name: 'an empty batch',
    body: withInput({ shape: [0, 1, 28, 28], data: [] }),
    error: 'tensor pixels: expected shape [-1, 1, 28, 28], got [0, 1, 28, 28]',
  },
  {
    name: 'a huge batch',
    status: 413,
    body: withInput({ shape: [2 ** 40, 1, 28, 28] }),
    error: 'tensor pixels: expected a batch of at most 256, got 1099511627776',
  },
  {
    name: 'a batch of 257',
    status: 413,
    body: { inputs: [pixels(257)] },
    error: 'tensor pixels: expected a batch of at most 256, got 257',
  },
  {
    name: 'too few values',
    body: withInput({ data: one.data.slice(1) }),
    error: 'tensor pixels: expected 784 values for shape [1, 1, 28, 28], got 783',
  },
  {
    name: 'no values',
    body: withInput({ data: [] }),
    error: 'tensor pixels: expected 784 values for shape [1, 1, 28, 28], got 0',
  },
  {
    name: 'a missing row',
    body: nest(Array(27).fill(Array(28).fill(0))),
    error: 'tensor pixels: expected an array of 28 at data[0][0], got an array of 27',
  },
  {
    name: 'a short row',
    body: nest([...Array<unknown>(27).fill(Array(28).fill(0)), [0]]),
    error: 'tensor pixels: expected an array of 28 at data[0][0][27], got an array of 1',
  },
  {
    name: 'a row that is a number',
    body: nest([...Array<unknown>(27).fill(Array(28).fill(0)), 5]),
    error: 'tensor pixels: expected an array of 28 at data[0][0][27], got 5',
  },
  {
    name: 'data nested too deep',
    body: nest(Array(28).fill(Array(28).fill([0]))),
    error:
      'tensor pixels: expected a number in [-3.4028234663852886e+38, 3.4028234663852886e+38], or null or "NaN" for a gap, at data[0][0][0][0], got an array of 1',
  },
  {
    name: 'an unknown datatype',
    body: withInput({ datatype: 'FLOAT' }),
    error: 'tensor pixels: expected datatype FP32 or another numeric datatype, got "FLOAT"',
  },
  {
    name: 'an inherited property as datatype',
    body: withInput({ datatype: 'constructor' }),
    error: 'tensor pixels: expected datatype FP32 or another numeric datatype, got "constructor"',
  },
  {
    name: 'text',
    body: withInput({ datatype: 'BYTES' }),
    error: 'tensor pixels: expected datatype FP32 or another numeric datatype, got "BYTES"',
  },
  {
    name: 'booleans for numbers',
    body: withInput({ datatype: 'BOOL' }),
    error: 'tensor pixels: expected datatype FP32 or another numeric datatype, got "BOOL"',
  },
  {
    name: 'a string among numbers',
    body: withFirst(SECRET),
    error:
      'tensor pixels: expected a number in [-3.4028234663852886e+38, 3.4028234663852886e+38], or null or "NaN" for a gap, at data[0], got a string',
  },
  {
    name: 'a gap where the model has integers',
    path: identity,
    body: identityInputs({ int64: [1, 'NaN'] }),
    error:
      'tensor int64: expected an integer in [-9007199254740991, 9007199254740991] at data[1], got a string (the model takes INT64, which has no gaps)',
  },
  {
    name: 'a number too large in the last row of an image',
    body: nest([...Array<unknown>(27).fill(Array(28).fill(0)), [...Array<number>(27).fill(0), 1e39]]),
    error:
      'tensor pixels: expected a number in [-3.4028234663852886e+38, 3.4028234663852886e+38], or null or "NaN" for a gap, at data[0][0][27][27], got 1e+39',
  },
  {
    name: 'null among integers',
    body: { inputs: [{ ...one, datatype: 'UINT8', data: [null, ...one.data.slice(1)] }] },
    error: 'tensor pixels: expected an integer in [0, 255] at data[0], got null (gaps need datatype FP32)',
  },
  {
    name: 'a number beyond FP32',
    body: withFirst(1e39),
    error:
      'tensor pixels: expected a number in [-3.4028234663852886e+38, 3.4028234663852886e+38], or null or "NaN" for a gap, at data[0], got 1e+39',
  },
  {
    name: 'a number beyond FP64',
    body: JSON.stringify(withFirst(0.125)).replace('0.125', '1e999'),
    error:
      'tensor pixels: expected a number in [-3.4028234663852886e+38, 3.4028234663852886e+38], or null or "NaN" for a gap, at data[0], got Infinity',
  },
  {
    name: 'a fraction declared UINT8',
    body: { inputs: [{ ...one, datatype: 'UINT8', data: [0.5, ...one.data.slice(1)] }] },
    error: 'tensor pixels: expected an integer in [0, 255] at data[0], got 0.5',
  },
  {
    name: 'numbers for booleans',
    path: identity,
    body: { inputs: [vector('bool', 'UINT8', [1])] },
    error: 'tensor bool: expected datatype BOOL, got "UINT8"',
  },
  {
    name: 'a number among booleans',
    path: identity,
    body: identityInputs({ bool: [true, 1] }),
    error: 'tensor bool: expected true or false at data[1], got 1',
  },
  {
    name: 'a UINT8 of 256',
    path: identity,
    body: identityInputs({ uint8: [256] }),
    error: 'tensor uint8: expected an integer in [0, 255] at data[0], got 256',
  },
  {
    name: 'an integer that JSON rounds',
    path: identity,
    body: identityInputs({ int64: [2 ** 53] }),
    error:
      'tensor int64: expected an integer in [-9007199254740991, 9007199254740991] at data[0], got 9007199254740992',
  },
  {
    name: 'an FP16 beyond its range',
    path: identity,
    body: identityInputs({ fp16: [65505] }),
    error: 'tensor fp16: expected a number in [-65504, 65504], or null or "NaN" for a gap, at data[0], got 65505',
  },
  {
    name: 'several missing tensors',
    path: identity,
    body: { inputs: [vector('bool', 'BOOL', [true])] },
    error: 'inputs: expected tensor uint8, int64, fp16, fp64, got nothing',
  },
  {
    name: 'statistics that a model lacks',
    path: identity,
    body: { ...identityInputs({}), parameters: { statistics: 'batch' } },
    error: 'statistics: expected "running" for identity, got "batch": it has no Batch Norm layers',
  },
];

const models = 'arithmetic or customers or digits or identity or iris-forest or iris-logistic or photo or pytorch';

const unknown: [method: string, path: string, status: number, error: string][] = [
  ['GET', '/nothing', 404, 'path: expected one that /docs lists, got "/nothing"'],
  ['GET', '/v2/model/digits', 404, 'path: expected one that /docs lists, got "/v2/model/digits"'],
  ['GET', '/v2/models/nobody', 404, `model: expected ${models}, got \"nobody\"`],
  ['GET', '/v2/models/__proto__/ready', 404, `model: expected ${models}, got \"__proto__\"`],
  ['GET', '/v2/models/%E0%A4%A', 404, `model: expected ${models}, got \"%E0%A4%A\"`],
  ['GET', '/v2/models/digits/versions/4', 404, 'version of digits: expected 3 or 2, got "4"'],
  ['POST', '/v2/models/nobody/infer', 404, `model: expected ${models}, got \"nobody\"`],
  ['POST', '/v2/models/digits/versions/4/infer', 404, 'version of digits: expected 3 or 2, got "4"'],
  ['POST', '/', 405, 'method: expected GET, HEAD, got POST'],
  ['POST', '/v2', 405, 'method: expected GET, HEAD, got POST'],
  ['DELETE', '/v2/models/digits', 405, 'method: expected GET, HEAD, got DELETE'],
  ['GET', '/v2/models/digits/infer', 405, 'method: expected POST, got GET'],
  ['PUT', '/v2/models/digits/versions/3/infer', 405, 'method: expected POST, got PUT'],
];

const media: [headers: Record<string, string>, error: string][] = [
  [{ 'content-type': 'text/plain' }, 'content-type: expected application/json, got "text/plain"'],
  [{ 'content-type': 'application/jsonp' }, 'content-type: expected application/json, got "application/jsonp"'],
  [{ 'content-encoding': 'br' }, 'content-encoding: expected gzip, deflate or identity, got "br"'],
];

describe('refusals', () => {
  it.each([...bodies, ...tensors])('refuses $name', async ({ path = digits, body, status = 400, error }) => {
    const answer = await post(path, body);
    expect(answer).toMatchObject({ status, body: { error } });
    expect(JSON.stringify(answer.body)).not.toContain(SECRET);
  });

  it.each(unknown)('answers %s %s with %i', async (method, path, status, error) => {
    const init =
      method === 'GET' ? { method } : { method, body: '{}', headers: { 'content-type': 'application/json' } };
    const answer = await call(path, init);
    expect(answer).toMatchObject({ status, body: { error } });
    const allow = /expected (.*), got/.exec(error)?.[1];
    expect(answer.headers.get('allow')).toBe(status === 405 ? allow : null);
  });

  it.each(media)('answers %o with 415', async (headers, error) => {
    expect(await post(digits, { inputs: [one] }, headers)).toMatchObject({ status: 415, body: { error } });
  });

  it('refuses a body over the limit', async () => {
    const answer = await post(digits, ' '.repeat(limit + 1));
    expect(answer).toMatchObject({ status: 413, body: { error: `body: expected at most ${limit} bytes, got more` } });
  });

  it('refuses a body over the limit that does not tell its length', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent <= limit; sent += 2 ** 20) controller.enqueue(new Uint8Array(2 ** 20));
        controller.close();
      },
    });
    const answer = await call(digits, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(413);
  });

  it.each([{}, { 'content-length': '100' }])(
    'takes a connection that ends early for no fault of its own: %o',
    async (length) => {
      const faults = vi.spyOn(console, 'error').mockReturnValue(undefined);
      const body = new ReadableStream({
        pull(controller) {
          controller.error(new Error('Network connection lost.'));
        },
      });
      const headers = { 'content-type': 'application/json', ...length };
      const request = new Request(`http://worker${digits}`, { method: 'POST', body, headers });
      const response = await worker.fetch(request, env, createExecutionContext());
      const error = 'body: expected all of it, got a connection that ended before';
      expect([response.status, await response.json(), faults.mock.calls]).toEqual([400, { error }, []]);
      faults.mockRestore();
    },
  );

  it("refuses in the runtime's words where only an operator can tell", async () => {
    const inputs = [vector('left', 'FP32', [1, 2]), vector('right', 'FP32', [1, 2, 3])];
    const answer = await post(arithmetic, { inputs });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      error: expect.stringMatching(/^onnxruntime: Attempting to broadcast .* 2 by 3$/) as unknown,
    });
  });

  it('answers rightly after refusals', async () => {
    expect((await post(digits, { inputs: [one] })).status).toBe(200);
  });
});
