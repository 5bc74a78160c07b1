/** The document accepts and refuses the right requests, and requests and answers that contradict it are detected. */
import { describe, expect, it } from 'vitest';
import { documentOf, pixels } from './client.ts';
import { checkDocumented, complaintsOf, type Exchange } from './document.ts';
import { formless } from './malformed.ts';

const infer = '/v2/models/digits/infer';
const input = { name: 'p', shape: [1], datatype: 'FP32', data: [1] };

const complaints = async (request: unknown): Promise<readonly string[]> =>
  complaintsOf(await documentOf(), { $ref: '#/components/schemas/InferenceRequest' }, request, 'request');

describe('the document', () => {
  it.each<[string, object]>([
    ['parameters of a sequence', { inputs: [input], parameters: { sequence_id: 3 } }],
    [
      'parameters of other servers, and nested data',
      {
        inputs: [{ ...input, data: [[1]], parameters: { content_type: 'np' } }],
        outputs: [{ name: 'y', parameters: { content_type: 'np', headers: { a: 1 } } }],
      },
    ],
    [
      'null for what may be absent',
      { id: null, parameters: null, outputs: null, inputs: [{ ...input, parameters: null }] },
    ],
    ['members that nobody knows', { inputs: [{ ...input, more: 1 }], more: { is: 'there' } }],
    ['every kind of element', { inputs: [{ ...input, data: [1, 'NaN', null, true, [[-1]]] }] }],
    ['bytes and classes', { inputs: [{ ...input, data: undefined, parameters: { binary_data_size: 4 } }], outputs: [{ name: 'y', parameters: { classification: 3, binary_data: true } }] }], // oxfmt-ignore
  ])('takes %s', async (_, request) => {
    expect(await complaints(JSON.parse(JSON.stringify(request)))).toEqual([]);
  });

  it.each(formless)('does not take $name', async ({ body }) => {
    expect(await complaints(body)).not.toEqual([]);
  });

  it.each<[string, unknown]>([
    ['text for data', { inputs: [{ ...input, data: 'nonsense' }] }],
    ['an object for data', { inputs: [{ ...input, data: {} }] }],
    ['an object among data', { inputs: [{ ...input, data: [{}] }] }],
    ['shared memory', { inputs: [{ ...input, parameters: { shared_memory_region: 'a' } }] }],
    ['a number of classes below 0', { inputs: [input], outputs: [{ name: 'y', parameters: { classification: -1 } }] }],
  ])('does not take %s', async (_, request) => {
    expect(await complaints(request)).not.toEqual([]);
  });

  const right: Exchange = {
    method: 'POST',
    url: new URL(`http://worker${infer}`),
    headers: new Headers({ 'content-type': 'application/json' }),
    sent: { inputs: [pixels(1)] },
    status: 200,
    type: 'application/json',
    answered: { model_name: 'digits', model_version: '3', outputs: [] },
  };

  it.each<[string, Partial<Exchange>, RegExp]>([
    ['a request', { sent: { inputs: 7 } }, /the request at inputs/],
    ['the type of a request', { headers: new Headers({ 'content-type': 'text/plain' }) }, /requests of text\/plain/],
    ['an answer', { answered: {} }, /the answer at model_name/],
    ['a member of an answer', { answered: { ...(right.answered as object), more: 1 } }, /the answer at/],
    ['a refusal', { status: 400, answered: { message: 'no' } }, /the answer at/],
    ['the type of an answer', { type: 'text/plain' }, /answers of text\/plain/],
    ['a path', { url: new URL('http://worker/v2/models/digits/guess') }, /is in no document/],
    ['a model', { url: new URL('http://worker/v2/models/nobody/infer') }, /the path model/],
    [
      'a parameter',
      { url: new URL('http://worker/v2/models/digits/classify?top_k=0'), answered: { error: '' } },
      /the query top_k/,
    ],
  ])('is contradicted by %s', async (_, change, complaint) => {
    const document = await documentOf();
    checkDocumented(document, right);
    expect(() => {
      checkDocumented(document, { ...right, ...change });
    }).toThrow(complaint);
  });
});
