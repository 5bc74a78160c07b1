/** Describes single operations of the OpenAPI document: their parameters, bodies and answers. */
import { HEADER } from '../protocol/binary.ts';
import type { Model } from '../models.ts';
import { predictOptions } from '../protocol/protocol.ts';
import type { responseSchemas } from '../protocol/responses.ts';
import type { Schema } from '../protocol/schema.ts';
import { lineTypes } from '../rows/read-rows.ts';

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
const plainText = { schema: { type: 'string' } };
export const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
export const json = (name: string): Content => ({ 'application/json': { schema: ref(name) } });

export function metricsOperation(): Operation {
  const responses = answered({ 'text/plain': plainText });
  return { operationId: 'metrics', summary: 'The drift of monitored models, for Prometheus', responses };
}

/** Describes a body of rows: a JSON object of the schema `request`, a table as CSV, or JSON lines. */
export const rowBody = (request: string): NonNullable<Operation['requestBody']> => ({
  required: true,
  content: {
    ...json(request),
    'text/csv': plainText,
    ...Object.fromEntries(lineTypes.map((type) => [type, plainText])),
  },
});

export function predictOperation(operationId: string, answer: string, more: Partial<Operation>): Operation {
  return {
    ...get(operationId, 'Rows in, predictions out', answer, { 'text/csv': plainText }),
    description:
      'With unknown "ignore", names that are not columns are left out; with "fill", values that do not belong to their column also count as missing. Warnings name both.',
    ...more,
    parameters: [...(more.parameters ?? []), ...queryOf(predictOptions)],
  };
}

export function inferOperation(operationId: string): Operation {
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

export function sampleOperation(
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

export function get(operationId: string, summary: string, answer: string, more: Content = {}): Operation {
  return { operationId, summary, responses: answered({ ...json(answer), ...more }) };
}

export const answered = (content: Content): Operation['responses'] => ({
  '200': { description: 'OK', content },
  default: { description: 'A refusal: 4xx where the request is wrong', content: json('Error') },
});

export const keyed = (operation: Operation): Operation => ({ ...operation, security: [{}, { key: [] }] });

export const path = (name: string): Parameter => ({ name, in: 'path', required: true, schema: { type: 'string' } });

/** Turns the members of an object's schema into parameters of the query string. */
export function queryOf({ json }: Schema<object>): Parameter[] {
  const { properties } = json as { readonly properties: Readonly<Record<string, object>> };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }));
}
