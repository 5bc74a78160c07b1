/** The request's body, as far as it can be judged before it is known what it says: media type, size, encoding. */
import { bodyLimit } from 'hono/body-limit';
import type { RequestContext } from './context.ts';
import { decode, encodingOf } from './encoding.ts';
import { quote, RequestError } from './errors.ts';

/**
 * The whole body, inflated where it came compressed. Its declared length is judged before anything is read; where none is declared,
 * reading stops at the limit, as inflating does.
 * @throws RequestError where it has more bytes than the limit, is compressed in another way, or breaks off
 */
export async function readBody(c: RequestContext, limit: number): Promise<Uint8Array> {
  const encoding = encodingOf(c.req.raw);
  const body = await readBytes(c, limit);
  return encoding === 'identity' ? body : decode(body, encoding, limit);
}

async function readBytes(c: RequestContext, limit: number): Promise<Uint8Array> {
  const onError = (): never => {
    throw new RequestError('too large', `body: expected at most ${limit} bytes, got more`);
  };
  const declared = c.req.header('content-length');
  const isOpen = declared === undefined || c.req.header('transfer-encoding') !== undefined;
  // A middleware of the app that this one is mounted in may have read the body, which Hono then keeps.
  const isUnread = !c.req.raw.bodyUsed;
  if (!isOpen && Number(declared) > limit) onError();
  try {
    if (isOpen && isUnread) await bodyLimit({ maxSize: limit, onError })(c, () => Promise.resolve());
    const body = new Uint8Array(await c.req.arrayBuffer());
    return body.byteLength > limit ? onError() : body;
  } catch (error) {
    if (error instanceof RequestError || !isUnread) throw error;
    // Whoever hangs up hears no answer: this is for the logs, where it is none of the Worker's faults.
    throw new RequestError('malformed', 'body: expected all of it, got a connection that ended before');
  }
}

/** Types under which JSON comes: Python's Triton client names none, or that of bytes, and `curl -d` that of a form. */
const json = ['application/json', 'application/x-www-form-urlencoded', 'application/octet-stream', undefined];

/** @throws RequestError where the body is of another type than one under which JSON comes */
export function requireJson(request: Request): void {
  const type = mediaType(request);
  if (json.includes(type)) return;
  throw new RequestError('unsupported media type', `content-type: expected application/json, got ${quote(type ?? '')}`);
}

/** In lower case, without parameters; `undefined` where the request names none. */
export function mediaType({ headers }: Request): string | undefined {
  return headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
}
