/**
 * Defines the errors that a client can cause, and the words that describe what it sent. Their messages read
 * `where: expected X, got Y`. None holds more of the request's body than a name or the cell of a row. Nothing here
 * depends on HTTP: `http/errors.ts` turns the errors into responses.
 */

export type Refusal =
  | 'malformed'
  | 'unauthorized'
  | 'not found'
  | 'conflict'
  | 'too large'
  | 'unsupported media type'
  | 'unprocessable'
  | 'too many requests';

/** Refuses a request that cannot be answered as it is; the message explains why. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** Reports that a valid request cannot be answered here; the message names what would help. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** Recognizes the error by its name, because each image has a class of its own. */
export function isInferenceError(error: Error): error is Error & { readonly outOfMemory?: boolean } {
  return error.name === 'InferenceError';
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
