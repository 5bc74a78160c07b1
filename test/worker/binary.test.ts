/** The Worker reads and writes tensors in Triton's binary extension. */
import { exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { outputData, pixels, post } from './client.ts';

const HEADER = 'Inference-Header-Content-Length';
const infer = '/v2/models/digits/infer';
const identity = '/v2/models/identity/infer';

interface BinaryAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly json: {
    readonly outputs: readonly { readonly name: string; readonly parameters?: object; readonly data?: unknown }[];
    readonly error?: string;
  };
  readonly rest: ArrayBuffer;
}

/** Sends JSON followed by bytes. The header states the length of the JSON unless the caller gives another. */
async function send(
  path: string,
  json: object | undefined,
  binary: Uint8Array,
  header?: string,
): Promise<BinaryAnswer> {
  const head = json === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(json));
  const response = await exports.default.fetch(`http://worker${path}`, {
    method: 'POST',
    body: new Blob([head, binary]),
    headers: { 'content-type': 'application/octet-stream', [HEADER]: header ?? String(head.byteLength) },
  });
  const body = await response.arrayBuffer();
  const length = Number(response.headers.get(HEADER) ?? body.byteLength);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    json: JSON.parse(new TextDecoder().decode(body.slice(0, length))) as BinaryAnswer['json'],
    rest: body.slice(length),
  };
}

const bytes = (array: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(array.buffer as ArrayBuffer);
const image = pixels(2);
const { data: values, ...header } = image;
const asInput = (size: number, datatype = 'FP32') => ({ ...header, datatype, parameters: { binary_data_size: size } });

/** Holds one input of the model `identity` for each datatype, as bytes. */
const perType = {
  bool: ['BOOL', bytes(Uint8Array.of(1, 0))],
  uint8: ['UINT8', bytes(Uint8Array.of(0, 255))],
  int64: ['INT64', bytes(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n))],
  fp16: ['FP16', bytes(Float16Array.of(0.5, Infinity))],
  fp64: ['FP64', bytes(Float64Array.of(Math.PI, NaN))],
} as const;

function identityInputs(): object[] {
  return Object.entries(perType).map(([name, [datatype, { byteLength }]]) => ({
    name,
    datatype,
    shape: [2],
    parameters: { binary_data_size: byteLength },
  }));
}

const identityBytes = Uint8Array.from(Object.values(perType).flatMap(([, data]) => [...data]));

describe('binary tensors', () => {
  it('takes bytes and answers what the same numbers in JSON get', async () => {
    const json = await post(infer, { inputs: [image] });
    const binary = await send(infer, { inputs: [asInput(values.length * 4)] }, bytes(Float32Array.from(values)));
    expect(binary.type).toBe('application/json');
    expect(binary.json).toEqual(json.body);
  });

  it("casts bytes of another datatype to the model's", async () => {
    const json = await post(infer, { inputs: [image] });
    const binary = await send(infer, { inputs: [asInput(values.length, 'UINT8')] }, Uint8Array.from(values));
    expect(binary.json).toEqual(json.body);
  });

  it('answers bytes where the request asks for them', async () => {
    const json = await post(infer, { inputs: [image] });
    const {
      json: head,
      rest,
      type,
    } = await send(infer, { parameters: { binary_data_output: true }, inputs: [image] }, new Uint8Array());
    expect(type).toBe('application/octet-stream');
    expect(head.outputs).toEqual([
      { name: 'logits', datatype: 'FP32', shape: [2, 10], parameters: { binary_data_size: 80 } },
    ]);
    expect(Array.from(new Float32Array(rest))).toEqual(outputData(json, 'logits'));
  });

  it('passes the bits of every datatype through, one after the other', async () => {
    const answer = await send(
      identity,
      { parameters: { binary_data_output: true }, inputs: identityInputs() },
      identityBytes,
    );
    expect(answer.status).toBe(200);
    expect(new Uint8Array(answer.rest)).toEqual(identityBytes);
  });

  it('lets an output decide for itself', async () => {
    const outputs = [{ name: 'fp64_out', parameters: { binary_data: false } }, { name: 'uint8_out' }];
    const request = { parameters: { binary_data_output: true }, inputs: identityInputs(), outputs };
    const { json, rest } = await send(identity, request, identityBytes);
    expect(json.outputs.map(({ data }) => data)).toEqual([[Math.PI, 'NaN'], undefined]);
    expect(new Uint8Array(rest)).toEqual(Uint8Array.of(0, 255));
  });

  it('takes a bare tensor and answers in kind', async () => {
    const { json, rest } = await send(infer, undefined, bytes(Float32Array.from(values)));
    expect(json.outputs).toMatchObject([{ shape: [2, 10], parameters: { binary_data_size: 80 } }]);
    expect(Array.from(new Float32Array(rest))).toEqual(outputData(await post(infer, { inputs: [image] }), 'logits'));
  });

  const refused: [
    what: string,
    json: object | undefined,
    binary: Uint8Array,
    header: string | undefined,
    error: string,
  ][] = [
    ['a header beyond the body', { inputs: [image] }, new Uint8Array(), '99999999', "expected at most the body's"],
    ['a negative header', { inputs: [image] }, new Uint8Array(), '-1', "expected at most the body's"],
    ['a header that is no number', { inputs: [image] }, new Uint8Array(), 'many', "expected at most the body's"],
    ['a header inside the JSON', { inputs: [image] }, new Uint8Array(), '40', 'body: expected JSON in UTF-8'],
    [
      'too few bytes',
      { inputs: [asInput(6272)] },
      new Uint8Array(6271),
      undefined,
      'binary_data_size: expected 6271 bytes in all, got 6272',
    ],
    [
      'too many bytes',
      { inputs: [asInput(6272)] },
      new Uint8Array(6273),
      undefined,
      'binary_data_size: expected 6273 bytes in all, got 6272',
    ],
    [
      'bytes of another shape',
      { inputs: [asInput(8)] },
      new Uint8Array(8),
      undefined,
      'tensor pixels: expected 6272 bytes for FP32 [2, 1, 28, 28], got 8',
    ],
    [
      'data and bytes',
      { inputs: [{ ...image, ...asInput(6272) }] },
      new Uint8Array(6272),
      undefined,
      'expected either data or binary_data_size',
    ],
    [
      'neither data nor bytes',
      { inputs: [header] },
      new Uint8Array(),
      undefined,
      'expected either data or binary_data_size',
    ],
    [
      'a negative size',
      { inputs: [asInput(-4)] },
      new Uint8Array(),
      undefined,
      'parameters.binary_data_size: expected an integer from 0',
    ],
    [
      'a bare tensor of no whole sample',
      undefined,
      new Uint8Array(100),
      undefined,
      'body: expected a multiple of 3136 bytes, got 100',
    ],
    ['an empty bare tensor', undefined, new Uint8Array(), undefined, 'body: expected a multiple of 3136 bytes, got 0'],
  ];

  it.each(refused)('refuses %s', async (_, json, binary, length, error) => {
    const answer = await send(infer, json, binary, length);
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining(error) as unknown } });
  });

  it('refuses a byte that is neither true nor false', async () => {
    const answer = await send(identity, { inputs: identityInputs() }, identityBytes.with(0, 2));
    expect(answer).toMatchObject({ status: 400, json: { error: 'tensor bool: expected bytes of 0 or 1' } });
  });

  it('refuses a bare tensor for a model of several inputs', async () => {
    const answer = await send(identity, undefined, new Uint8Array(8));
    expect(answer.json.error).toMatch(/expected JSON, because identity has not one input of known shape$/);
  });
});
