/**
 * The JSON objects of the Open Inference Protocol (v2, REST): schemas for what comes in, types for what goes out.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_rest.yaml
 * The contents of tensors are not checked here but in tensors.ts, in the one pass that also copies them.
 */
import * as z from 'zod/mini';
import type { Datatype, TensorInfo } from './datatypes.ts';
import { describe, RequestError } from './errors.ts';

/** No request needs more tensors or parameters than this; the bound keeps hostile ones cheap to refuse. */
const MAX_ITEMS = 64;

const string = z.string({ error: 'expected a string' });

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

const statistics = z.enum(['running', 'batch'], { error: 'expected "running" or "batch"' });

const requestInput = z.object(
  {
    name: string,
    shape: list(z.int({ error: 'expected an integer' })),
    datatype: string,
    parameters: z.optional(parameters),
    data: z.custom<readonly unknown[]>((value) => Array.isArray(value), { error: 'expected an array' }),
  },
  { error: 'expected an object' },
);

const requestOutput = z.object({ name: string, parameters: z.optional(parameters) }, { error: 'expected an object' });

const inferenceRequest = z.object(
  {
    id: z.optional(string),
    parameters: z.optional(z.intersection(parameters, z.object({ statistics: z.optional(statistics) }))),
    inputs: list(requestInput),
    outputs: z.optional(list(requestOutput)),
  },
  { error: 'expected a JSON object' },
);

export type InferenceRequest = z.output<typeof inferenceRequest>;
export type RequestInput = z.output<typeof requestInput>;
export type Statistics = z.output<typeof statistics>;

/** @throws RequestError naming the first member that does not fit. */
export function parseInferenceRequest(body: unknown): InferenceRequest {
  const parsed = inferenceRequest.safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw new Error('internal: a schema failed without an issue');
  throw new RequestError('malformed', `${pathOf(issue.path)}: ${issue.message}, got ${describe(issue.input)}`);
}

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface ResponseOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly data: readonly (number | boolean | string)[];
}

export interface InferenceResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly parameters?: { readonly statistics: Statistics };
  readonly outputs: readonly ResponseOutput[];
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
