/**
 * What may come in, as schemas: the JSON objects of the Open Inference Protocol (v2, REST), and the options of the paths
 * beyond it. What goes out is in responses.ts.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_rest.yaml
 * The contents of tensors are not checked here but in tensors.ts, in the one pass that also copies them.
 */
import * as z from 'zod/mini';
import { describe, RequestError } from '../http/errors.ts';

/** No request needs more tensors or parameters than this; the bound keeps hostile ones cheap to refuse. */
const MAX_ITEMS = 64;

const string = z.string({ error: 'expected a string' });
const flag = z.boolean({ error: 'expected true or false' });

/** An integer from `min` to `max`. */
function integer(min: number, max: number) {
  const error = `expected an integer from ${min} to ${max}`;
  return z.int({ error }).check(z.minimum(min, { error }), z.maximum(max, { error }));
}

/** An array whose length is checked before its items are. */
function list<Item extends z.ZodMiniType>(item: Item) {
  const short = z.custom<unknown[]>((value) => Array.isArray(value) && value.length <= MAX_ITEMS, {
    error: `expected an array of at most ${MAX_ITEMS} items`,
  });
  return z.pipe(short, z.array(item));
}

const parameter = z.union([z.string(), z.number(), z.boolean()], { error: 'expected a string, number or boolean' });

const parameters = z.pipe(
  z.custom<object>((value) => isObject(value) && Object.keys(value).length <= MAX_ITEMS, {
    error: `expected an object of at most ${MAX_ITEMS} parameters`,
  }),
  z.record(z.string(), parameter),
);

/** Parameters of which some are known. */
const knowing = <Known extends z.core.$ZodLooseShape>(known: Known) =>
  z.optional(z.intersection(parameters, z.object(known)));

const statistics = z.enum(['running', 'batch'], { error: 'expected "running" or "batch"' });

/** The sizes and flags of https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_binary_data.md */
const binarySize = z.optional(integer(0, Number.MAX_SAFE_INTEGER));

const requestInput = z.object(
  {
    name: string,
    shape: list(z.int({ error: 'expected an integer' })),
    datatype: string,
    parameters: knowing({ binary_data_size: binarySize }),
    data: z.optional(z.custom<readonly unknown[]>((value) => Array.isArray(value), { error: 'expected an array' })),
  },
  { error: 'expected an object' },
);

const requestOutput = z.object(
  { name: string, parameters: knowing({ binary_data: z.optional(flag) }) },
  { error: 'expected an object' },
);

export const inferenceRequest = z.object(
  {
    id: z.optional(string),
    parameters: knowing({ statistics: z.optional(statistics), binary_data_output: z.optional(flag) }),
    inputs: list(requestInput),
    outputs: z.optional(list(requestOutput)),
  },
  { error: 'expected a JSON object' },
);

const topK = z._default(integer(1, 1000), 3);

/** Come as `parameters` in JSON, or in the query string. */
export const classifyOptions = z.object({
  statistics: z.optional(statistics),
  top_k: topK,
  image: z._default(flag, false),
});

export const explainOptions = z.object({
  sample: z._default(integer(0, Number.MAX_SAFE_INTEGER), 0),
  bins: z._default(integer(1, 64), 16),
  tensors: z._default(flag, false),
  top_k: topK,
});

/** What becomes of names and values that the model does not know. */
const unknown = z.enum(['refuse', 'ignore', 'fill'], { error: 'expected "refuse", "ignore" or "fill"' });

export const predictOptions = z.object({ unknown: z._default(unknown, 'refuse') });

/** Of KServe's V1 protocol: what an instance is depends on the model. */
export const predictRequest = z.object(
  {
    instances: z.custom<readonly unknown[]>((value) => Array.isArray(value) && value.length > 0, {
      error: 'expected an array of at least one row',
    }),
    parameters: knowing({ unknown: z.optional(unknown) }),
  },
  { error: 'expected a JSON object' },
);

export const repositoryRequest = z.object({ ready: z.optional(flag) }, { error: 'expected a JSON object' });

export type PredictRequest = z.output<typeof predictRequest>;
export type InferenceRequest = z.output<typeof inferenceRequest>;
export type RequestInput = z.output<typeof requestInput>;
export type Statistics = z.output<typeof statistics>;
export type ClassifyOptions = z.output<typeof classifyOptions>;
export type Unknown = z.output<typeof unknown>;
export type ExplainOptions = z.output<typeof explainOptions>;

/** @throws RequestError naming the first member that does not fit. */
export function parse<Schema extends z.ZodMiniType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new Error('internal: a schema failed without an issue');
  throw new RequestError('malformed', `${pathOf(issue.path)}: ${issue.message}, got ${describe(issue.input)}`);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `['inputs', 0, 'shape']` -> `inputs[0].shape`; the empty path is the body itself. */
function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'body';
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);
}
