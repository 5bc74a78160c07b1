/** Requests of clients, right and bad, to both networks on MNIST and to a table. */
import { deflateSync, gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { CAMERA, filteredPng, refusedPictures, searchingJpeg } from '../../unit/hostile/pictures.ts';
import type { HttpRequest } from './load.ts';
import { digitAt, SIDE } from './requests.ts';

const models = ['mnist-cnn', 'mnist-mlp'] as const;
const json = { 'content-type': 'application/json' };
const rawTensor = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' };

const post = (path: string, headers: HttpRequest['headers'], body: Uint8Array | string): HttpRequest => ({
  path,
  headers,
  body: typeof body === 'string' ? Buffer.from(body) : body,
});

/** Returns every kind of request, for some digits and rows. */
export function mixedRequests(): readonly HttpRequest[] {
  // The two are interleaved, so that no kind comes only after all others.
  const [ofDigits, ofRows] = [digitRequests(), rowRequests()];
  const each = Math.ceil(ofDigits.length / ofRows.length);
  return ofRows.flatMap((request, i) => [request, ...ofDigits.slice(i * each, (i + 1) * each)]);
}

function digitRequests(): readonly HttpRequest[] {
  return models.flatMap((model) => [
    ...Array.from({ length: 24 }, (_, digit) => singles(model, digit)).flat(),
    ...[2, 8, 64].flatMap((batch) => batches(model, batch)),
    post(`/v2/models/${model}/infer`, json, inference(256, 'running')),
    post(`/v2/models/${model}/infer`, { 'content-encoding': 'gzip' }, gzipSync(inference(64))),
    ...cameraPictures().map((file) => post(`/v2/models/${model}/classify`, {}, file)),
  ]);
}

const plans = ['Free', 'Pro', 'Ünïcode, "quoted"'];

/** Returns a row of the table by name. Spend and date are sometimes missing. */
const customer = (i: number) => ({
  plan: plans[i % plans.length] ?? '',
  seats: 1 + ((i * 37) % 500),
  spend: i % 5 === 0 ? null : ((i * 911) % 10_000) + 0.25,
  since: i % 7 === 0 ? null : `20${19 + (i % 6)}-0${1 + (i % 9)}-1${i % 10}`,
});

/** Returns rows by name in every format, single and many. */
function rowRequests(): readonly HttpRequest[] {
  const path = '/v1/models/customers:predict';
  return Array.from({ length: 12 }, (_, i) => (i % 3 === 2 ? 256 : 1 + i)).flatMap((count, from) => {
    const rows = Array.from({ length: count }, (_, i) => customer(from + i));
    const cell = (value: string | number | null): string =>
      value === null ? '' : `"${String(value).replaceAll('"', '""')}"`;
    const csv = ['plan,seats,spend,since', ...rows.map((row) => Object.values(row).map(cell).join(','))].join('\r\n');
    const explained = { instances: rows.slice(0, 2), parameters: { explain: true } };
    return [
      post(path, json, JSON.stringify({ instances: rows })),
      post(
        `${path}?unknown=fill`,
        json,
        JSON.stringify({ instances: rows.map((row) => ({ ...row, seats: '7', x: 1 })) }),
      ),
      post(path, { 'content-type': 'text/csv', accept: 'text/csv' }, csv),
      post(path, { 'content-type': 'application/jsonl' }, rows.map((row) => JSON.stringify(row)).join('\n')),
      post(path, { 'content-encoding': 'deflate' }, deflateSync(JSON.stringify({ instances: rows }))),
      post(path, json, JSON.stringify(explained)),
      post('/v2/models/customers/classify', json, JSON.stringify({ instances: rows })),
    ];
  });
}

/**
 * Returns pictures of 12 megapixels that need more work than a photograph: a progressive JPEG, and a PNG whose alpha
 * channel doubles the work.
 */
const cameraPictures = (): readonly Uint8Array[] => [searchingJpeg(CAMERA, 3, 10), filteredPng(4, CAMERA)];

function singles(model: string, digit: number): readonly HttpRequest[] {
  const pixels = digitAt(digit);
  const path = `/v2/models/${model}`;
  return [
    post(`${path}/infer`, json, inference(1, 'running', digit)),
    post(`${path}/infer`, rawTensor, new Uint8Array(Float32Array.from(pixels).buffer)),
    post(
      `${path}/classify`,
      { 'content-type': 'image/png' },
      encode({ width: SIDE, height: SIDE, channels: 1, data: pixels }),
    ),
    post(`${path}/infer`, json, inference(1, 'batch', digit)),
    post(`/v1/models/${model}:predict`, json, JSON.stringify({ instances: [rowOf(pixels)] })),
  ];
}

/** Returns a digit as [1][28][28], which the V1 protocol asks for. */
const rowOf = (pixels: Uint8Array): number[][][] => [
  Array.from({ length: SIDE }, (_, y) => [...pixels.subarray(y * SIDE, (y + 1) * SIDE)]),
];

/** Returns a request of nearly the largest body: 256 digits, and blanks. */
export function upload(): HttpRequest {
  const text = inference(256, 'running');
  return post('/v2/models/mnist-cnn/infer', json, text + ' '.repeat(8 * 2 ** 20 - text.length));
}

const batches = (model: string, batch: number): readonly HttpRequest[] => [
  post(`/v2/models/${model}/infer`, json, inference(batch, 'running')),
  post(`/v2/models/${model}/infer`, json, inference(batch, 'batch')),
  post(`/v2/models/${model}/explain`, json, inference(batch)),
];

function inference(batch: number, statistics?: 'running' | 'batch', from = 0): string {
  const data = Array.from({ length: batch }, (_, i) => [...digitAt(from + i)]).flat();
  const input = { name: 'pixels', datatype: 'UINT8', shape: [batch, 1, SIDE, SIDE], data };
  return JSON.stringify({ ...(statistics && { parameters: { statistics } }), inputs: [input] });
}

function badRows(): readonly HttpRequest[] {
  const path = '/v1/models/customers:predict';
  const one = customer(1);
  const rows = (...instances: readonly object[]): string => JSON.stringify({ instances });
  return [
    post(path, json, rows({ ...one, plan: 'Por' })),
    post(path, json, rows(one, { ...one, seats: null })),
    post(path, json, rows({ ...one, spend: 'much' })),
    post(path, json, rows({ ...one, since: '2021-02-30' })),
    post(path, json, rows({ ...one, colour: 'red' })),
    post(path, json, rows(...Array.from({ length: 257 }, () => one))),
    post(path, { 'content-type': 'text/csv' }, 'plan,seats\n"Free,1\n'),
    post(path, { 'content-type': 'application/jsonl' }, `${JSON.stringify(one)}\n{"plan":`),
  ];
}

/** Returns requests that are refused with a 4xx. */
export function badRequests(): readonly HttpRequest[] {
  const infer = '/v2/models/mnist-cnn/infer';
  const right = inference(1);
  return [
    post('/v2/models/nobody/infer', json, right),
    post(infer, { 'content-type': 'text/plain' }, right),
    post(infer, json, right.slice(0, 400)),
    post(infer, json, right.replace('[1,1,28,28]', '[1,1,28,29]')),
    post(infer, json, right.replace('[1,1,28,28]', '[2147483647,1,28,28]')),
    post(infer, json, right.replace('UINT8', 'BYTES')),
    post(infer, json, right.replace('pixels', 'voxels')),
    post(infer, json, '['.repeat(20_000)),
    post(infer, rawTensor, new Uint8Array(783 * 4)),
    post(infer, { 'content-encoding': 'gzip' }, gzipSync(new Uint8Array(64 * 2 ** 20))),
    post(infer, { 'content-encoding': 'gzip' }, right),
    post(infer, json, right.replace('"data":[', '"data":[NaN,')),
    post('/v1/models/mnist-cnn:predict', json, '{"instances": [{"pixels": 3}]}'),
    post('/v1/models/mnist-cnn:predict', { 'content-type': 'text/csv' }, 'a,b\n1,2\n'),
    ...badRows(),
    post('/v2/models/mnist-cnn/classify', { 'content-type': 'image/png' }, Buffer.from('no picture')),
    post('/v2/models/mnist-cnn/infer', json, inference(257)),
    ...refusedPictures.map(({ file }) => post('/v2/models/mnist-cnn/classify', {}, file())),
  ];
}
