/**
 * Turns errors into HTTP responses with the protocol's error object, `{"error": "where: expected X, got Y"}`. A response
 * never holds a stack trace.
 */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { isInferenceError, type Refusal, RequestError, ServerError } from '../errors.ts';

const statuses = {
  malformed: 400,
  unauthorized: 401,
  'not found': 404,
  conflict: 409,
  'too large': 413,
  'unsupported media type': 415,
  unprocessable: 422,
  'too many requests': 429,
} as const satisfies Record<Refusal, ContentfulStatusCode>;

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

export function answerMethod(c: Context, allowed: readonly string[]): Response {
  const allow = allowed.join(', ');
  return c.json({ error: `method: expected ${allow}, got ${c.req.method}` }, 405, { Allow: allow });
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
