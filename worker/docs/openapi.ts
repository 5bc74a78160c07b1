/**
 * The OpenAPI 3.1 document, made from the schemas that validate requests and describe answers. Paths are listed twice
 * where the protocol has them with and without a version.
 * https://spec.openapis.org/oas/v3.1.1.html
 */
import * as z from 'zod/mini';
import { HEADER } from '../protocol/binary.ts';
import { server } from '../protocol/metadata.ts';
import { classifyOptions, explainOptions, inferenceRequest, repositoryRequest } from '../protocol/protocol.ts';
import { responseSchemas } from '../protocol/responses.ts';

export interface OpenApi {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<'get' | 'post', Operation>>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>;
  readonly security?: readonly object[];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: object;
}

type Content = Readonly<Record<string, { readonly schema: object }>>;
type ResponseName = keyof ReturnType<typeof responseSchemas>;

const bytes = { schema: { type: 'string', format: 'binary' } };
const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string): Content => ({ 'application/json': { schema: ref(name) } });

/** @param models the names of the models, for the path parameter */
export function openApi(models: readonly string[]): OpenApi {
  const requests = { InferenceRequest: inferenceRequest, RepositoryRequest: repositoryRequest };
  const schemas = Object.entries({ ...requests, ...responseSchemas() });
  return {
    openapi: '3.1.1',
    info: {
      title: server.name,
      version: server.version,
      description: 'The Open Inference Protocol v2, pictures in, and a look inside every Batch Norm layer.',
    },
    paths: {
      ...serverPaths(),
      ...modelPaths('', models, []),
      ...modelPaths('/versions/{version}', models, [path('version')]),
    },
    components: {
      schemas: Object.fromEntries(schemas.map(([name, schema]) => [name, jsonSchema(schema)])),
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'Needed where a key is configured.' } },
    },
  };
}

function serverPaths(): OpenApi['paths'] {
  return {
    '/v2': { get: get('serverMetadata', 'Server metadata', 'ServerMetadata') },
    '/v2/health/live': { get: get('serverLive', 'Is the server live?', 'Live') },
    '/v2/health/ready': { get: get('serverReady', 'Is the server ready?', 'Ready') },
    '/v2/repository/index': {
      get: keyed(get('listModels', 'All models', 'RepositoryIndex')),
      post: keyed({
        ...get('indexModels', 'All models, as Triton asks for them', 'RepositoryIndex'),
        requestBody: { required: false, content: json('RepositoryRequest') },
      }),
    },
  };
}

function modelPaths(suffix: string, models: readonly string[], more: readonly Parameter[]): OpenApi['paths'] {
  const base = `/v2/models/{model}${suffix}`;
  const parameters = [{ ...path('model'), schema: { type: 'string', enum: models } }, ...more];
  const id = (name: string): string => (suffix === '' ? name : `${name}Version`);
  const operations: readonly [string, 'get' | 'post', Operation][] = [
    ['', 'get', get(id('modelMetadata'), 'Model metadata', 'ModelMetadata')],
    ['/ready', 'get', get(id('modelReady'), 'Is the model ready?', 'ModelReady')],
    ['/batchnorm', 'get', get(id('batchNorm'), 'Every Batch Norm layer: γ, β, running μ and σ²', 'BatchNormResponse')],
    ['/infer', 'post', inferOperation(id('infer'))],
    [
      '/classify',
      'post',
      sampleOperation(id('classify'), 'Picture in, label out', 'ClassifyResponse', classifyOptions),
    ],
    [
      '/explain',
      'post',
      sampleOperation(id('explain'), 'z, ẑ and z̃ of every layer', 'ExplainResponse', explainOptions),
    ],
  ];
  return Object.fromEntries(
    operations.map(([end, method, operation]) => {
      const all = [...parameters, ...(operation.parameters ?? [])];
      return [`${base}${end}`, { [method]: keyed({ ...operation, parameters: all }) }];
    }),
  );
}

function inferOperation(operationId: string): Operation {
  const header: Parameter = {
    name: HEADER,
    in: 'header',
    required: false,
    description: 'How many bytes of the body are JSON, where tensors follow as bytes; 0 for a bare tensor.',
    schema: { type: 'integer', minimum: 0 },
  };
  return {
    ...get(operationId, 'Inference', 'InferenceResponse', { 'application/octet-stream': bytes }),
    description: 'With parameters.statistics "batch" every Batch Norm layer uses the mini-batch\'s own statistics.',
    parameters: [header],
    requestBody: { required: true, content: { ...json('InferenceRequest'), 'application/octet-stream': bytes } },
  };
}

function sampleOperation(
  operationId: string,
  summary: string,
  answer: ResponseName,
  options: z.ZodMiniType,
): Operation {
  const pictures = { 'image/png': bytes, 'image/jpeg': bytes, 'application/octet-stream': bytes };
  const { properties = {} } = jsonSchema(options) as { properties?: Record<string, object> };
  return {
    ...get(operationId, summary, answer),
    description: 'Options are query parameters, or members of parameters in the JSON object.',
    parameters: Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema })),
    requestBody: { required: true, content: { ...pictures, ...json('InferenceRequest') } },
  };
}

function get(operationId: string, summary: string, answer: ResponseName, more: Content = {}): Operation {
  return {
    operationId,
    summary,
    responses: {
      '200': { description: 'OK', content: { ...json(answer), ...more } },
      default: { description: 'A refusal: 4xx where the request is wrong', content: json('Error') },
    },
  };
}

const keyed = (operation: Operation): Operation => ({ ...operation, security: [{}, { key: [] }] });
const path = (name: string): Parameter => ({ name, in: 'path', required: true, schema: { type: 'string' } });

/** What a schema cannot say (checks in code) is left open. */
function jsonSchema(schema: z.ZodMiniType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  return rest;
}
