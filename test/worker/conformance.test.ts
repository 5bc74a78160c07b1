/** Requests and answers conform to the protocol's own OpenAPI document, and to the document that this Worker serves. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { inferenceRequest, parse } from '../../worker/protocol/protocol.ts';
import { call, pixels, post } from './client.ts';
import { checkOfficial, type OfficialName } from './official-schemas.ts';

interface Case {
  readonly path: string;
  /** The path as written in this Worker's own document. */
  readonly template: string;
  readonly official: OfficialName;
  readonly body?: object;
}

const digits = '/v2/models/digits';
const versioned = '/v2/models/{model}/versions/{version}';
const model = '/v2/models/{model}';
const request = { id: '42', parameters: { priority: 1 }, inputs: [pixels(2)], outputs: [{ name: 'logits' }] };
const nested = { inputs: [{ ...pixels(1), data: [[Array(28).fill(Array(28).fill(0))]] }] };
const instances = [{ plan: 'Free', seats: 3, spend: null, since: '2021-06-15' }];
const division = ['left', 'right'].map((name) => ({ name, datatype: 'FP32', shape: [1], data: [0] }));

const answered: Case[] = [
  { path: '/v2', template: '/v2', official: 'metadata_server_response' },
  { path: digits, template: model, official: 'metadata_model_response' },
  { path: `${digits}/versions/3`, template: versioned, official: 'metadata_model_response' },
  { path: `${digits}/infer`, template: `${model}/infer`, official: 'inference_response', body: request },
  { path: `${digits}/versions/3/infer`, template: `${versioned}/infer`, official: 'inference_response', body: nested },
  {
    path: '/v2/models/arithmetic/infer',
    template: `${model}/infer`,
    official: 'inference_response',
    body: { inputs: division },
  },
];

const refused: Case[] = [
  { path: '/v2/models/nobody', template: model, official: 'metadata_model_error_response' },
  { path: `${digits}/infer`, template: `${model}/infer`, official: 'inference_error_response', body: { inputs: [] } },
];

interface Documented {
  readonly paths: Record<
    string,
    Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>
  >;
  readonly components: { readonly schemas: Record<string, object> };
}

async function ownDocument(): Promise<Documented> {
  return (await call('/openapi.json')).body as Documented;
}

/** @throws ZodError where a JSON answer does not match the served document */
async function checkOwn(template: string, method: 'get' | 'post', status: string, value: unknown): Promise<void> {
  const { paths, components } = await ownDocument();
  const schema = paths[template]?.[method]?.responses[status]?.content['application/json']?.schema;
  const text = JSON.stringify({ $defs: components.schemas, ...schema }).replaceAll('#/components/schemas/', '#/$defs/');
  z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]).parse(value);
}

const ask = ({ path, body }: Case) => (body === undefined ? call(path) : post(path, body));

describe('conformance', () => {
  it.each(answered)('answers $path as both documents say', async (known) => {
    const { body } = known;
    if (body) checkOfficial('inference_request', body);
    const answer = await ask(known);
    expect(answer.status).toBe(200);
    checkOfficial(known.official, answer.body);
    await checkOwn(known.template, body ? 'post' : 'get', '200', answer.body);
  });

  it.each(refused)('refuses $path as both documents say', async (known) => {
    const answer = await ask(known);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    checkOfficial(known.official, answer.body);
    await checkOwn(known.template, known.body ? 'post' : 'get', 'default', answer.body);
  });

  it.each(['/v2/health/live', '/v2/health/ready', `${digits}/versions/3/ready`])(
    'answers GET %s with 200',
    async (path) => {
      expect((await call(path)).status).toBe(200);
    },
  );

  it.each(answered.filter(({ body }) => body))(
    'takes the request to $path, as the official document does',
    ({ body }) => {
      expect(() => parse(inferenceRequest, body)).not.toThrow();
    },
  );

  const own: [method: 'get' | 'post', path: string, template: string, body?: object][] = [
    ['get', `${digits}/batchnorm`, `${model}/batchnorm`],
    ['get', `${digits}/ready`, `${model}/ready`],
    ['get', '/v2/health/ready', '/v2/health/ready'],
    ['get', '/v2/models', '/v2/models'],
    ['get', '/v2/repository/index', '/v2/repository/index'],
    ['post', '/v2/repository/index', '/v2/repository/index', { ready: true }],
    [
      'post',
      `${digits}/classify`,
      `${model}/classify`,
      { parameters: { statistics: 'batch', image: true }, inputs: [pixels(2)] },
    ],
    ['post', `${digits}/explain`, `${model}/explain`, { parameters: { tensors: true }, inputs: [pixels(2)] }],
    ['post', '/v2/models/customers/classify', `${model}/classify`, { instances }],
    ['post', '/v2/models/customers/explain', `${model}/explain`, { instances, parameters: { sample: 0 } }],
    ['get', '/v1/models', '/v1/models'],
    ['get', '/v1/models/customers', '/v1/models/{model}'],
    ['post', '/v1/models/customers:predict', '/v1/models/customers:predict', { instances }],
    [
      'post',
      '/v1/models/customers/versions/1:predict',
      '/v1/models/{model}/versions/{version}:predict',
      { instances: instances.map((row) => Object.values(row)), parameters: { explain: true, unknown: 'fill' } },
    ],
  ];

  it('tells in a refused row nothing that would not help', async () => {
    const wrong = { instances: [{ ...instances[0], more: 1 }] };
    const columns = 'instances[0]: expected columns "plan", "seats", "spend", "since", got "more"';
    const predicted = await post('/v1/models/customers:predict', wrong);
    expect(predicted).toMatchObject({ status: 422, body: { error: `${columns}; unknown=ignore leaves others out` } });
    const classified = await post('/v2/models/customers/classify?unknown=ignore', wrong);
    expect(classified).toMatchObject({ status: 422, body: { error: columns } });
  });

  it.each(own)('answers %s %s as its own document says', async (method, path, template, body) => {
    const answer = body === undefined ? await call(path, { method }) : await post(path, body);
    expect(answer.status).toBe(200);
    await checkOwn(template, method, '200', answer.body);
  });

  it('lists every model as Triton does', async () => {
    const { body } = await post('/v2/repository/index', '');
    const entry = (name: string, version = '1') => ({ name, version, state: 'READY', reason: '' });
    expect(body).toEqual([
      entry('arithmetic'),
      entry('customers'),
      entry('digits', '3'),
      entry('digits', '2'),
      entry('identity'),
      entry('iris-forest'),
      entry('iris-logistic'),
      entry('photo'),
      entry('pytorch'),
    ]);
  });

  it('documents only paths that it answers', async () => {
    const { paths } = await ownDocument();
    for (const [template, methods] of Object.entries(paths)) {
      const path = template.replace('{model}', 'digits').replace('{version}', '3');
      for (const method of Object.keys(methods)) {
        const { status } = await call(path, { method: method.toUpperCase(), ...(method === 'post' && { body: '[' }) });
        expect([template, method, status === 404 || status === 405]).toEqual([template, method, false]);
      }
    }
  });

  it('renders the reference without scripts', async () => {
    const { exports } = await import('cloudflare:workers');
    const response = await exports.default.fetch('http://worker/docs');
    const page = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=UTF-8');
    expect(page).toContain('/v2/models/{model}/classify');
    expect(page).not.toMatch(/<script|https?:/);
    expect((await exports.default.fetch('http://worker/docs/style.css')).status).toBe(200);
  });
});
