/**
 * Builds the OpenAPI 3.1 document from the schemas that validate requests and describe answers. A path that the
 * protocol has with and without a version is listed twice.
 * https://spec.openapis.org/oas/v3.1.1.html
 */
import * as z from 'zod/mini';
import { HEADER } from '../protocol/binary.ts';
import { namesOf, type Model } from '../models.ts';
import { classesOf } from '../predict/classify.ts';
import { server } from '../protocol/metadata.ts';
import {
  classifyOptions,
  driftOptions,
  explainOptions,
  inferenceRequest,
  predictOptions,
  predictRequest,
  repositoryRequest,
  tensorElement,
} from '../protocol/protocol.ts';
import { responseSchemas } from '../protocol/responses.ts';
import type { Schema } from '../protocol/schema.ts';
import { lineTypes } from '../rows/body.ts';
import { bodiesOf, rowSchemasOf } from './rows.ts';

export interface OpenApi {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
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

/** Holds what the document depends on besides the models. */
export interface Served {
  /** The path under which the app is mounted, without a trailing slash. */
  readonly mount: string;
  readonly explain: boolean;
  /** Is true when `/` serves the page. */
  readonly page: boolean;
  readonly metrics: boolean;
  /** Is true when the Worker reports the drift of monitored models. */
  readonly monitors: boolean;
}

export function openApi(models: readonly Model[], served: Served): OpenApi {
  const { mount, page, metrics } = served;
  const schemas = {
    InferenceRequest: inferenceRequest.json,
    RepositoryRequest: repositoryRequest.json,
    RowsRequest: predictRequest.json,
    PredictRequest: bodiesOf(ref('RowsRequest')),
    ...answerSchemas(),
    TensorElement: tensorElement,
  };
  const tables = tablesOf(models);
  return {
    openapi: '3.1.1',
    info: {
      title: server.name,
      version: server.version,
      description:
        'The Open Inference Protocol v2, rows by name, pictures in, and a look inside every Batch Norm layer.',
    },
    servers: [{ url: mount === '' ? '/' : mount }],
    paths: {
      ...(!page && { '/': { get: keyed(get('overview', 'The models, and where they answer', 'Overview')) } }),
      ...serverPaths(),
      ...(metrics && { '/metrics': { get: keyed(metricsOperation()) } }),
      ...tables.paths,
      ...rowPaths(models),
      ...(models.every(({ name }) => name !== 'stats') && {
        '/v2/models/stats': { get: keyed(get('statistics', 'Statistics of all models', 'ModelStatistics')) },
      }),
      ...modelPaths('', models, [], served),
      ...modelPaths('/versions/{version}', models, [versionOf(models)], served),
    },
    components: {
      schemas: {
        ...schemas,
        ...tables.schemas,
      },
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'Needed where a key is configured.' } },
    },
  };
}

function metricsOperation(): Operation {
  const content = { 'text/plain': { schema: { type: 'string' } } };
  const operation = get('metrics', 'The drift of monitored models, for Prometheus', 'Error');
  return { ...operation, responses: { ...operation.responses, '200': { description: 'OK', content } } };
}

function serverPaths(): OpenApi['paths'] {
  return {
    '/v2': { get: get('serverMetadata', 'Server metadata', 'ServerMetadata') },
    '/v2/health/live': { get: get('serverLive', 'Is the server live?', 'Live') },
    '/v2/health/ready': { get: get('serverReady', 'Is the server ready?', 'Ready') },
    '/v2/models': { get: keyed(get('models', 'All models', 'RepositoryIndex')) },
    '/v2/repository/index': {
      get: keyed(get('listModels', 'All models', 'RepositoryIndex')),
      post: keyed({
        ...get('indexModels', 'All models, as Triton asks for them', 'RepositoryIndex'),
        requestBody: { required: false, content: json('RepositoryRequest') },
      }),
    },
  };
}

/** Returns the paths of KServe's V1 protocol. */
function rowPaths(models: readonly Model[]): OpenApi['paths'] {
  const version = versionOf(models);
  const named = [{ ...path('model'), schema: { type: 'string', enum: namesOf(models) } }];
  const requestBody = rowBody('PredictRequest');
  const at = (id: string, parameters: readonly Parameter[]): Readonly<Record<'ready' | 'predict', Operation>> => ({
    ready: keyed({ ...get(`v1Ready${id}`, 'Is the model ready?', 'V1Ready'), parameters }),
    predict: keyed(predictOperation(`predict${id}`, 'PredictResponse', { parameters, requestBody })),
  });
  const [current, other] = [at('', named), at('Version', [...named, version])];
  return {
    '/v1/models': { get: keyed(get('v1Models', 'All models', 'V1Models')) },
    '/v1/models/{model}': { get: current.ready },
    '/v1/models/{model}:predict': { post: current.predict },
    '/v1/models/{model}/versions/{version}': { get: other.ready },
    '/v1/models/{model}/versions/{version}:predict': { post: other.predict },
  };
}

/**
 * Returns a path and the schemas of each model that knows its columns: the columns' names, and the values that each may
 * hold.
 */
function tablesOf(models: readonly Model[]): Pick<OpenApi, 'paths'> & Pick<OpenApi['components'], 'schemas'> {
  const known = models.flatMap((model) => {
    const id = model.path.replaceAll('/', '.');
    const schemas = rowSchemasOf(model, ref(`${id}.row`));
    return schemas ? [{ id, path: model.path, schemas }] : [];
  });
  return {
    schemas: Object.fromEntries(
      known.flatMap(({ id, schemas }) => Object.entries(schemas).map(([part, schema]) => [`${id}.${part}`, schema])),
    ),
    paths: Object.fromEntries(
      known.map(({ id, path }) => {
        const operation = predictOperation(`predict.${id}`, `${id}.response`, {
          requestBody: rowBody(`${id}.request`),
          // CSV is left out: a generated client would have to handle an answer of two types.
          responses: answered(`${id}.response`),
        });
        return [`/v1/models/${path}:predict`, { post: keyed(operation) }];
      }),
    ),
  };
}

const lines = { schema: { type: 'string' } };

/** Describes a body of rows. What the schema says of JSON holds for the other media types as well. */
const rowBody = (request: string): NonNullable<Operation['requestBody']> => ({
  required: true,
  content: { ...json(request), 'text/csv': lines, ...Object.fromEntries(lineTypes.map((type) => [type, lines])) },
});

function predictOperation(operationId: string, answer: string, more: Partial<Operation>): Operation {
  return {
    ...get(operationId, 'Rows in, predictions out', answer, { 'text/csv': lines }),
    description:
      'With unknown "ignore", names that are not columns are left out; with "fill", values that do not belong to their column also count as missing. Warnings tell both.',
    ...more,
    parameters: [...(more.parameters ?? []), ...queryOf(predictOptions)],
  };
}

type PathOperation = readonly [end: string, method: 'get' | 'post', operation: Operation, models: readonly Model[]];

/** Lists each path with the models that answer it, and leaves out a path that no model answers. */
function modelPaths(
  suffix: string,
  models: readonly Model[],
  more: readonly Parameter[],
  served: Served,
): OpenApi['paths'] {
  const id = (name: string): string => (suffix === '' ? name : `${name}Version`);
  return Object.fromEntries(
    modelOperations(id, models, served)
      .filter(([, , , answering]) => answering.length > 0)
      .map(([end, method, operation, answering]) => {
        const model = { ...path('model'), schema: { type: 'string', enum: namesOf(answering) } };
        const parameters = [model, ...more, ...(operation.parameters ?? [])];
        return [`/v2/models/{model}${suffix}${end}`, { [method]: keyed({ ...operation, parameters }) }];
      }),
  );
}

function modelOperations(
  id: (name: string) => string,
  models: readonly Model[],
  { explain, monitors }: Served,
): PathOperation[] {
  const batchNorm = get(id('batchNorm'), 'Every Batch Norm layer: γ, β, running μ and σ²', 'BatchNormResponse');
  const switchable = models.filter((model) => model.switchable);
  const classifying = models.filter(classesOf);
  const classify = sampleOperation(
    id('classify'),
    'Sample in, label out',
    'ClassifyResponse',
    classifyOptions,
    classifying,
  );
  const look = sampleOperation(
    id('explain'),
    'z, ẑ and z̃ of every layer',
    'ExplainResponse',
    explainOptions,
    switchable,
  );
  const drift = {
    ...get(id('drift'), 'How far its requests are from its training, hour by hour', 'DriftResponse'),
    parameters: queryOf(driftOptions),
  };
  return [
    ['', 'get', get(id('modelMetadata'), 'Model metadata', 'ModelMetadata'), models],
    ['/ready', 'get', get(id('modelReady'), 'Is the model ready?', 'ModelReady'), models],
    ['/config', 'get', get(id('modelConfig'), "Triton's configuration of the model", 'ModelConfig'), models],
    ['/stats', 'get', get(id('modelStatistics'), 'How many inferences there were', 'ModelStatistics'), models],
    ['/batchnorm', 'get', batchNorm, explain ? models : []],
    ['/drift', 'get', drift, monitors ? models.filter(({ monitor }) => monitor) : []],
    ['/infer', 'post', inferOperation(id('infer')), models],
    ['/classify', 'post', classify, classifying],
    ['/explain', 'post', look, explain ? switchable : []],
  ];
}

function inferOperation(operationId: string): Operation {
  const header: Parameter = {
    name: HEADER,
    in: 'header',
    required: false,
    description:
      'The number of bytes of the body that are JSON when tensors follow as bytes; 0 for a bare tensor. Without it, all of them are.',
    schema: { type: 'integer', minimum: 0 },
  };
  return {
    ...get(operationId, 'Inference', 'InferenceResponse'),
    description:
      'With parameters.statistics "batch" every Batch Norm layer uses the mini-batch\'s own statistics, where the model explains. Where a request ' +
      `wants outputs as bytes (binary_data), the answer is application/octet-stream: the JSON, as long as ${HEADER} says, then the bytes.`,
    parameters: [header],
    requestBody: { required: true, content: { ...json('InferenceRequest'), 'application/octet-stream': bytes } },
  };
}

function sampleOperation(
  operationId: string,
  summary: string,
  answer: ResponseName,
  options: Schema<object>,
  models: readonly Model[],
): Operation {
  const tensors = json('InferenceRequest');
  const rows = { 'application/json': { schema: { anyOf: [ref('InferenceRequest'), ref('RowsRequest')] } } };
  const pictures = { 'image/png': bytes, 'image/jpeg': bytes, 'application/octet-stream': bytes };
  return {
    ...get(operationId, summary, answer),
    description: 'Options are query parameters, or members of parameters in the JSON object.',
    parameters: queryOf(options),
    requestBody: { required: true, content: { ...pictures, ...(models.some(({ table }) => table) ? rows : tensors) } },
  };
}

function get(operationId: string, summary: string, answer: string, more: Content = {}): Operation {
  return { operationId, summary, responses: answered(answer, more) };
}

const answered = (answer: string, more: Content = {}): Operation['responses'] => ({
  '200': { description: 'OK', content: { ...json(answer), ...more } },
  default: { description: 'A refusal: 4xx where the request is wrong', content: json('Error') },
});

const keyed = (operation: Operation): Operation => ({ ...operation, security: [{}, { key: [] }] });

/** Lists the versions of all models; not every model has each of them. */
const versionOf = (models: readonly Model[]): Parameter => ({
  ...path('version'),
  schema: { type: 'string', enum: [...new Set(models.map(({ version }) => version))] },
});

const path = (name: string): Parameter => ({ name, in: 'path', required: true, schema: { type: 'string' } });

/** Turns the members of an object's schema into parameters of the query string. */
function queryOf({ json }: Schema<object>): Parameter[] {
  const { properties } = json as { readonly properties: Readonly<Record<string, object>> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}

/**
 * Converts the schemas of answers to JSON Schema. Checks in code, which it cannot express, are left open. Members that
 * a schema does not name are excluded, because the Worker writes none.
 */
function answerSchemas(): Record<string, object> {
  const jsonSchema = (schema: z.ZodMiniType): object => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
    return rest;
  };
  return Object.fromEntries(Object.entries(responseSchemas()).map(([name, schema]) => [name, jsonSchema(schema)]));
}
