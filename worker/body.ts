/** The request's body, as far as it can be judged before it is known what it says: media type, size, encoding, JSON. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { limitsOf, type Env } from './env.ts';
import { quote, RequestError } from './errors.ts';

/** Stops reading at the configured size. */
export const limitBody = createMiddleware<{ Bindings: Env }>((c, next) => {
  const { bodyBytes } = limitsOf(c.env);
  const onError = (): never => {
    throw new RequestError('too large', `body: expected at most ${bodyBytes} bytes, got more`);
  };
  return bodyLimit({ maxSize: bodyBytes, onError })(c, next);
});

/** @throws RequestError where the body is not `application/json` in UTF-8. */
export async function readJson(c: Context): Promise<unknown> {
  checkHeader(c, 'content-type', 'application/json', true);
  checkHeader(c, 'content-encoding', 'identity', false);
  const bytes = await c.req.arrayBuffer();
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)) as unknown;
  } catch {
    throw new RequestError('malformed', `body: expected JSON in UTF-8, got ${bytes.byteLength} bytes that are not`);
  }
}

function checkHeader(c: Context, name: string, expected: string, required: boolean): void {
  const value = c.req.header(name);
  if (value === undefined && !required) return;
  if (value?.split(';', 1)[0]?.trim().toLowerCase() === expected) return;
  const got = value === undefined ? 'nothing' : quote(value);
  throw new RequestError('unsupported media type', `${name}: expected ${expected}, got ${got}`);
}
