/**
 * What may come in, as schemas: the JSON objects of the Open Inference Protocol (v2, REST), and the options of the paths
 * beyond it. What goes out is in responses.ts.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_rest.yaml
 * The contents of tensors are not checked here but in tensors.ts, in the one pass that also copies them.
 */
import * as z from 'zod/mini';
import type { Unknown } from '../image.ts';
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

/** Refuses before anything inside is looked at. */
function guard(isRight: (value: unknown) => boolean, message: string) {
  return z.transform((input: unknown, { issues }): unknown => {
    if (!isRight(input)) issues.push({ code: 'custom', input, message });
    return input;
  });
}

/** A member that may be absent: generated clients and MLServer's send `null` for it. */
function maybe<Schema extends z.ZodMiniType>(schema: Schema) {
  return z.optional(
    z.pipe(
      z.nullable(schema),
      z.transform((value) => value ?? undefined),
    ),
  );
}

/** An array whose length is checked before its items are. */
function list<Item extends z.ZodMiniType>(item: Item) {
  const isShort = (value: unknown): boolean => Array.isArray(value) && value.length <= MAX_ITEMS;
  return z.pipe(
    guard(isShort, `expected an array of at most ${MAX_ITEMS} items`),
    z.array(item).check(z.maxLength(MAX_ITEMS)),
  );
}

/** Parameters of which some are known, and the others any JSON: servers and clients have their own. */
function knowing<Known extends z.core.$ZodLooseShape>(known: Known) {
  const isSmall = (value: unknown): boolean => isObject(value) && Object.keys(value).length <= MAX_ITEMS;
  return maybe(
    z.pipe(
      guard(isSmall, `expected an object of at most ${MAX_ITEMS} parameters`),
      z.looseObject(known).check(z.meta({ maxProperties: MAX_ITEMS })),
    ),
  );
}

const statistics = z.enum(['running', 'batch'], { error: 'expected "running" or "batch"' });

const size = integer(0, Number.MAX_SAFE_INTEGER);

/** What `shared_memory_region` asks for is what no server across a network has. */
const shared = { shared_memory_region: z.optional(z.never({ error: 'expected none, as no memory is shared here' })) };

/** Checked where they are copied; the schema that is published says the same. */
const tensorData = z
  .custom<readonly unknown[]>((value) => Array.isArray(value), { error: 'expected an array' })
  .check(z.meta({ type: 'array', items: { $ref: '#/components/schemas/TensorElement' } }));

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
const requestInput = z.object(
  {
    name: string,
    shape: list(z.int({ error: 'expected an integer' })),
    datatype: string,
    parameters: knowing({ ...shared, binary_data_size: maybe(size) }),
    data: maybe(tensorData),
  },
  { error: 'expected an object' },
);

/** Classes: https://github.com/triton-inference-server/server/blob/v2.60.0/docs/protocol/extension_classification.md */
const requestOutput = z.object(
  { name: string, parameters: knowing({ ...shared, binary_data: maybe(flag), classification: maybe(size) }) },
  { error: 'expected an object' },
);

export const inferenceRequest = z.object(
  {
    id: maybe(string),
    parameters: knowing({ statistics: maybe(statistics), binary_data_output: maybe(flag) }),
    inputs: list(requestInput),
    outputs: maybe(list(requestOutput)),
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
const unknown = z.enum(['refuse', 'ignore', 'fill'] as const satisfies readonly Unknown[], {
  error: 'expected "refuse", "ignore" or "fill"',
});

export const predictOptions = z.object({ unknown: z.optional(unknown), explain: z._default(flag, false) });

/** Of KServe's V1 protocol: what an instance is depends on the model. */
export const predictRequest = z.object(
  {
    instances: z
      .custom<readonly unknown[]>((value) => Array.isArray(value) && value.length > 0, {
        error: 'expected an array of at least one row',
      })
      .check(z.meta({ type: 'array', minItems: 1, items: {} })),
    parameters: knowing({ unknown: maybe(unknown), explain: maybe(flag) }),
  },
  { error: 'expected a JSON object' },
);

export const repositoryRequest = z.object({ ready: maybe(flag) }, { error: 'expected a JSON object' });

export type PredictRequest = z.output<typeof predictRequest>;
export type InferenceRequest = z.output<typeof inferenceRequest>;
export type RequestInput = z.output<typeof requestInput>;
export type RequestOutput = z.output<typeof requestOutput>;
export type Statistics = z.output<typeof statistics>;
export type ClassifyOptions = z.output<typeof classifyOptions>;
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
