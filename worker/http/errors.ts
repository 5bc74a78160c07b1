/**
 * Defines the errors that a client can cause, and is the one place where errors become HTTP responses: the protocol's
 * error object `{"error": "where: expected X, got Y"}`. It never holds a stack trace, and of the request's body at most
 * a name or the cell of a row.
 */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

const statuses = {
  malformed: 400,
  unauthorized: 401,
  'not found': 404,
  conflict: 409,
  'too large': 413,
  'unsupported media type': 415,
  unprocessable: 422,
  'too many requests': 429,
} as const satisfies Record<string, ContentfulStatusCode>;

export type Refusal = keyof typeof statuses;

/** Refuses a request that cannot be answered as it is; the message tells the client why. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** Reports that a valid request cannot be answered here; the message tells what would help. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/**
 * Turns an error into a response. Client errors keep their message; the Worker's own are logged and answered with 500.
 */
export function answerError(error: Error, c: Context): Response {
  if (error instanceof RequestError) {
    if (error.refusal === 'unauthorized') c.header('www-authenticate', 'Bearer realm="models"');
    return c.json({ error: error.message }, statuses[error.refusal]);
  }
  if (error instanceof HTTPException) return error.getResponse();
  if (isInferenceError(error) && error.outOfMemory) {
    return c.json({ error: 'batch: expected one that fits into memory, got a larger one' }, statuses['too large']);
  }
  // The tensors fitted what the model declares, yet an operator refused them (two inputs of different batch, say).
  if (isInferenceError(error)) return c.json({ error: `onnxruntime: ${withoutSource(error.message)}` }, 400);
  console.error(error);
  return c.json({ error: error instanceof ServerError ? error.message : 'internal server error' }, 500);
}

/** Recognizes the error by its name, because each image has a class of its own. */
export function isInferenceError(error: Error): error is Error & { readonly outOfMemory?: boolean } {
  return error.name === 'InferenceError';
}

export function answerMethod(c: Context, allowed: readonly string[]): Response {
  const allow = allowed.join(', ');
  return c.json({ error: `method: expected ${allow}, got ${c.req.method}` }, 405, { Allow: allow });
}

/** Describes a value in a word or two: strings and structures by their kind only, so that no body is echoed. */
export function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'string' ? 'a string' : 'an object';
}

/** Quotes a name or a cell that the client sent, safe to show: one line, at most 40 characters. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

/**
 * Drops the place in ONNX Runtime's source where a check failed: `/path/file.h:563 void f(int) a == b was false. Why`
 * -> `Why`.
 */
function withoutSource(message: string): string {
  const [line = ''] = message.split('\n', 1);
  return line
    .replace(/^.* was false\. /, '')
    .replace(/\S*\/\S+:\d+ /g, '')
    .replace(signature, '');
}

/** Matches the signature of the C++ function that complains. */
const signature = /(?:(?:virtual|static|void|bool|\S*Status) )*(?:\w+::)*onnxruntime::[\w:~<>]+\([^()]*\)(?: const)? /g;
