/**
 * Tensors of 16-bit numbers get the same answers on a host without `Float16Array`, such as Node 20, as on a host with
 * it.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fromHalfBits, halfBits } from '../../../worker/protocol/halfs.ts';
import type { Image, Session, WorkerHandler } from '../../../worker/create-worker.ts';
import { ask, jsonRequest } from '../../worker/images.ts';

// The tests themselves run on a host that has it.
const Native = Float16Array;

describe('the bits of halfs', () => {
  const of = (number: number): number => new Uint16Array(Native.of(number).buffer)[0] ?? NaN;

  it('stand for the numbers that Float16Array gives them, all of them, and come of these', () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const numbers = new Native(all.buffer);
    for (const bits of all) {
      const number = Number(numbers[bits]);
      expect(Object.is(fromHalfBits(bits), number), `bits ${bits}`).toBe(true);
      if (!Number.isNaN(number)) expect(halfBits(number)).toBe(bits);
    }
    expect(halfBits(NaN)).toBe(0x7e00);
  });

  it('are those of the nearest half, of two equally near ones the even one', () => {
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      const [low, high] = [fromHalfBits(bits), fromHalfBits(bits + 1)];
      for (const share of [0.001, 0.49999, 0.5, 0.50001, 0.999]) {
        const number = low + share * (high - low);
        expect(halfBits(number), String(number)).toBe(of(number));
        expect(halfBits(-number), String(-number)).toBe(of(-number));
      }
    }
    for (const number of [65504, 65519.99, 65520, 1e300, 2 ** -25, 2 ** -25 + 1e-20, 1e-300, Number.MIN_VALUE])
      expect(halfBits(number), String(number)).toBe(of(number));
  });
});

describe('a host without Float16Array', () => {
  let worker: WorkerHandler;
  const fed: unknown[] = [];

  /** Returns its input, by its bits, as an image does on such a host. */
  const run: Session['run'] = ({ x }) => {
    if (!(x?.data instanceof Uint16Array)) throw new Error('expected the bits of halfs');
    fed.push([...x.data]);
    return { y: { ...x, data: x.data.slice() } };
  };
  const values = (name: string) => [{ name, dtype: 'float16', shape: ['N', 2] }] as const;
  const session: Session = { name: 'half/model', inputs: values('x'), outputs: values('y'), run };
  const about = { name: 'half', path: 'half', version: '1', explain: false, batchNorm: [] };
  const image: Image = {
    models: [{ ...about, output: { name: 'y', kind: 'logits' } }],
    sessions: new Map([['half/model', session]]),
    switchName: 'switch',
  };

  beforeAll(async () => {
    vi.stubGlobal('Float16Array', undefined);
    vi.resetModules();
    const { createWorker } = await import('../../../worker/create-worker.ts');
    worker = createWorker(image);
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });

  const infer = (input: object, more: object = {}) =>
    ask(worker, '/v2/models/half/infer', jsonRequest({ inputs: [{ name: 'x', shape: [1, 2], ...input }], ...more }));

  /** Builds a body of JSON and bytes. */
  const binary = (datatype: string, bytes: ArrayBufferView, parameters: object = {}) => {
    const { byteLength: size } = bytes;
    const inputs = [{ name: 'x', shape: [1, 2], datatype, parameters: { binary_data_size: size } }];
    const json = new TextEncoder().encode(JSON.stringify({ inputs, parameters }));
    const body = new Uint8Array(json.length + size);
    body.set(json);
    body.set(new Uint8Array(bytes.buffer, bytes.byteOffset, size), json.length);
    const headers = { 'inference-header-content-length': String(json.length) };
    return ask(worker, '/v2/models/half/infer', { method: 'POST', body, headers });
  };

  it.each([
    ['FP16', [0.5, -65504], [0.5, -65504], [0x3800, 0xfbff]],
    ['FP16', ['NaN', '-Infinity'], ['NaN', '-Infinity'], [0x7e00, 0xfc00]],
    ['FP32', [0.1, 2 ** -24], [0.0999755859375, 2 ** -24], [0x2e66, 1]],
    ['UINT8', [3, 255], [3, 255], [0x4200, 0x5bf8]],
  ])('takes JSON of %s, %j, and answers %j', async (datatype, data, expected, bits) => {
    const { status, body } = await infer({ datatype, data });
    expect([status, body]).toMatchObject([200, { outputs: [{ datatype: 'FP16', shape: [1, 2], data: expected }] }]);
    expect(fed.at(-1)).toEqual(bits);
  });

  it.each([
    ['FP16', Uint16Array.of(0x3c00, 0xc000)],
    ['FP32', Float32Array.of(1, -2)],
    ['INT64', BigInt64Array.of(1n, -2n)],
  ])('takes bytes of %s', async (datatype, bytes) => {
    expect((await binary(datatype, bytes)).body).toMatchObject({ outputs: [{ data: [1, -2] }] });
    expect(fed.at(-1)).toEqual([0x3c00, 0xc000]);
  });

  it('answers the bytes of halfs where bytes are asked for', async () => {
    const response = await worker.fetch(
      new Request('http://worker/v2/models/half/infer', {
        method: 'POST',
        ...jsonRequest({
          inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, -2] }],
          parameters: { binary_data_output: true },
        }),
      }),
      { LOG_REQUESTS: false },
    );
    const length = Number(response.headers.get('inference-header-content-length'));
    const bytes = new Uint8Array(await response.arrayBuffer()).slice(length);
    expect([response.status, ...new Uint16Array(bytes.buffer)]).toEqual([200, 0x3c00, 0xc000]);
  });

  it('refuses what no half can hold', async () => {
    const { status, body } = await infer({ datatype: 'FP32', data: [65505, 0] });
    expect([status, body]).toMatchObject([400, { error: expect.stringContaining('[-65504, 65504]') as string }]);
  });

  it('classifies by the numbers, not by their bits', async () => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, -2, -3, 0] }];
    const { status, body } = await ask(worker, '/v2/models/half/classify', jsonRequest({ inputs }));
    expect([status, body]).toMatchObject([200, { predictions: [{ label: '0' }, { label: '1' }] }]);
  });
});
