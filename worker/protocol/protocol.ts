/**
 * What may come in, as schemas: the JSON objects of the Open Inference Protocol (v2, REST), and the options of the paths
 * beyond it. What goes out is in responses.ts.
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

/** No request needs more tensors or parameters than this; the bound keeps hostile ones cheap to refuse. */
const MAX_ITEMS = 64;

const list = <Item>(item: Schema<Item>): Schema<Item[]> => listOf(item, MAX_ITEMS);

/** Parameters of which some are known, and the others any JSON: servers and clients have their own. */
const knowing = <const Known extends Members>(known: Known) =>
  maybe(looseObject(known, MAX_ITEMS, `an object of at most ${MAX_ITEMS} parameters`));

const statistics = choice(['running', 'batch'], '"running" or "batch"');

const size = integer(0, Number.MAX_SAFE_INTEGER);
const anyInteger = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'an integer');

/** What `shared_memory_region` asks for is what no server across a network has. */
const shared = {
  shared_memory_region: optional(
    values({ not: {} }, 'none, as no memory is shared here', (value): value is never => value === undefined),
  ),
};

/** Checked where they are copied; the schema that is published says the same. */
const tensorData = values(
  { type: 'array', items: { $ref: '#/components/schemas/TensorElement' } },
  'an array',
  (value): value is readonly unknown[] => Array.isArray(value),
);

/** Arrays in arrays; deeper ones hold anything, since generators of types cannot follow a schema that names itself. */
const nested = (depth: number): object => ({
  anyOf: [
    { type: ['number', 'boolean', 'string', 'null'] },
    { type: 'array', items: depth === 0 ? {} : nested(depth - 1) },
  ],
});

/** For `tensorData`, which it is part of. */
export const tensorElement = {
  ...nested(4),
  description: 'A number; "NaN", "Infinity", "-Infinity" or null for what JSON has no number for; or nested arrays.',
};

/** Sizes and flags: https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_binary_data.md */
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

/** Classes: https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_classification.md */
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

/** Come as `parameters` in JSON, or in the query string. */
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

/** What becomes of names and values that the model does not know. */
const unknown = choice(
  ['refuse', 'ignore', 'fill'] as const satisfies readonly Unknown[],
  '"refuse", "ignore" or "fill"',
);

export const predictOptions = object({ unknown: optional(unknown), explain: withDefault(flag, false) }, 'an object');

/** A week: as many windows as one answer tells of. */
const MAX_HOURS = 168;

/** Come in the query string: how many hours back, and how many of them make one window. */
export const driftOptions = object(
  { hours: withDefault(integer(1, MAX_HOURS), 24), window: withDefault(integer(1, MAX_HOURS), 1) },
  'an object',
);

/** Of KServe's V1 protocol: what an instance is depends on the model. */
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
