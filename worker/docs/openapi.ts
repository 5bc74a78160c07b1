/**
 * Builds the OpenAPI 3.1 document from the schemas that validate requests and describe answers. A path that the
 * protocol has with and without a version is listed twice.
 * https://spec.openapis.org/oas/v3.1.1.html
 */
import * as z from 'zod/mini';
import { namesOf, type Model } from '../models.ts';
import { classesOf } from '../predict/classify.ts';
import { server } from '../protocol/metadata.ts';
import {
  classifyOptions,
  driftOptions,
  explainOptions,
  inferenceRequest,
  predictRequest,
  repositoryRequest,
  tensorElement,
} from '../protocol/protocol.ts';
import { responseSchemas } from '../protocol/responses.ts';
import {
  answered,
  get,
  inferOperation,
  json,
  keyed,
  metricsOperation,
  type Operation,
  type Parameter,
  path,
  predictOperation,
  queryOf,
  ref,
  rowBody,
  sampleOperation,
} from './operations.ts';
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

/** Holds what the document depends on besides the models. */
export interface Served {
  /** The path under which the app is mounted, without a trailing slash. */
  readonly mount: string;
  /** Is true when the Worker looks inside its models. */
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
  const operations = (
    id: string,
    parameters: readonly Parameter[],
  ): Readonly<Record<'ready' | 'predict', Operation>> => ({
    ready: keyed({ ...get(`v1Ready${id}`, 'Is the model ready?', 'V1Ready'), parameters }),
    predict: keyed(predictOperation(`predict${id}`, 'PredictResponse', { parameters, requestBody })),
  });
  const [current, other] = [operations('', named), operations('Version', [...named, version])];
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
          responses: answered(json(`${id}.response`)),
        });
        return [`/v1/models/${path}:predict`, { post: keyed(operation) }];
      }),
    ),
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
  const explanation = sampleOperation(
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
    ['/explain', 'post', explanation, explain ? switchable : []],
  ];
}

/** Lists the versions of all models; not every model has each of them. */
const versionOf = (models: readonly Model[]): Parameter => ({
  ...path('version'),
  schema: { type: 'string', enum: [...new Set(models.map(({ version }) => version))] },
});

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
