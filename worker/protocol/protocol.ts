/**
 * Schemas of requests: the JSON objects of the Open Inference Protocol (v2, REST), and the options of the paths beyond
 * it. Those of answers are in responses.ts.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_rest.yaml
 * The contents of tensors are not checked here but in tensors.ts, in the one pass that also copies them.
 */
import type { Unknown } from '../image.ts';
import {
  choice,
  flag,
  integer,
  list as listOf,
  looseObject,
  maybe,
  type Members,
  object,
  optional,
  type Read,
  type Schema,
  text,
  values,
  withDefault,
} from './schema.ts';

export { parse } from './schema.ts';

/**
 * The maximum number of tensors or parameters. No request needs more, and the bound keeps hostile ones cheap to refuse.
 */
const MAX_ITEMS = 64;

const list = <Item>(item: Schema<Item>): Schema<Item[]> => listOf(item, MAX_ITEMS);

/** Describes parameters of which some are known and the others may be any JSON: servers and clients have their own. */
const knowing = <const Known extends Members>(known: Known) =>
  maybe(looseObject(known, MAX_ITEMS, `an object of at most ${MAX_ITEMS} parameters`));

const statistics = choice(['running', 'batch'], '"running" or "batch"');

const size = integer(0, Number.MAX_SAFE_INTEGER);
const anyInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'an integer');

/** Refuses `shared_memory_region`, which no server across a network can offer. */
const shared = {
  shared_memory_region: optional(
    values({ not: {} }, 'none, as no memory is shared here', (value): value is never => value === undefined),
  ),
};

/** Takes any array: its elements are checked where they are copied. The published schema describes them. */
const tensorData = values(
  { type: 'array', items: { $ref: '#/components/schemas/TensorElement' } },
  'an array',
  (value): value is readonly unknown[] => Array.isArray(value),
);

/**
 * Describes arrays in arrays. Deeper ones hold anything, since generators of types cannot follow a schema that names
 * itself.
 */
const nested = (depth: number): object => ({
  anyOf: [
    { type: ['number', 'boolean', 'string', 'null'] },
    { type: 'array', items: depth === 0 ? {} : nested(depth - 1) },
  ],
});

/** Describes an element of `tensorData`. */
export const tensorElement = {
  ...nested(4),
  description: 'A number; "NaN", "Infinity", "-Infinity" or null for what JSON has no number for; or nested arrays.',
};

/**
 * Describes an input, with its size in bytes:
 * https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_binary_data.md
 */
const requestInput = object(
  {
    name: text,
    shape: list(anyInteger),
    datatype: text,
    parameters: knowing({ ...shared, binary_data_size: maybe(size) }),
    data: maybe(tensorData),
  },
  'an object',
);

/**
 * Describes an output, which may be wanted as classes:
 * https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_classification.md
 */
const requestOutput = object(
  { name: text, parameters: knowing({ ...shared, binary_data: maybe(flag), classification: maybe(size) }) },
  'an object',
);

export const inferenceRequest = object(
  {
    id: maybe(text),
    parameters: knowing({ statistics: maybe(statistics), binary_data_output: maybe(flag) }),
    inputs: list(requestInput),
    outputs: maybe(list(requestOutput)),
  },
  'a JSON object',
);

const topK = withDefault(integer(1, 1000), 3);

/** Options that come as `parameters` in JSON, or in the query string. */
export const classifyOptions = object(
  { statistics: optional(statistics), top_k: topK, image: withDefault(flag, false) },
  'an object',
);

export const explainOptions = object(
  {
    sample: withDefault(size, 0),
    bins: withDefault(integer(1, 64), 16),
    tensors: withDefault(flag, false),
    top_k: topK,
  },
  'an object',
);

/** Decides how to handle names and values that the model does not know. */
const unknown = choice(
  ['refuse', 'ignore', 'fill'] as const satisfies readonly Unknown[],
  '"refuse", "ignore" or "fill"',
);

export const predictOptions = object({ unknown: optional(unknown), explain: withDefault(flag, false) }, 'an object');

/** The maximum of hours that one answer reports on: a week. */
const MAX_HOURS = 168;

/** Options in the query string: how many hours to look back, and how many hours make one window. */
export const driftOptions = object(
  { hours: withDefault(integer(1, MAX_HOURS), 24), window: withDefault(integer(1, MAX_HOURS), 1) },
  'an object',
);

/** The request of KServe's V1 protocol. What an instance is depends on the model. */
export const predictRequest = object(
  {
    instances: values(
      { type: 'array', minItems: 1, items: {} },
      'an array of at least one row',
      (value): value is readonly unknown[] => Array.isArray(value) && value.length > 0,
    ),
    parameters: knowing({ unknown: maybe(unknown), explain: maybe(flag) }),
  },
  'a JSON object',
);

export const repositoryRequest = object({ ready: maybe(flag) }, 'a JSON object');

export type PredictRequest = Read<typeof predictRequest>;
export type InferenceRequest = Read<typeof inferenceRequest>;
export type RequestInput = Read<typeof requestInput>;
export type RequestOutput = Read<typeof requestOutput>;
export type Statistics = Read<typeof statistics>;
export type ClassifyOptions = Read<typeof classifyOptions>;
export type ExplainOptions = Read<typeof explainOptions>;
