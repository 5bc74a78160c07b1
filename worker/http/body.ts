/** The request's body, as far as it can be judged before it is known what it says: media type, size, encoding. */
import { giveBack } from '../../training/pictures/picture.ts';
import type { RequestContext } from './context.ts';
import { decode, encodingOf } from './encoding.ts';
import { quote, RequestError } from './errors.ts';

/**
 * What is made of the whole body, inflated where it came compressed. Its declared length is judged before anything is read; where none
 * is declared, reading stops at the limit, as inflating does. Afterwards the body is given back: of large ones V8 would let several lie.
 * @param use leaves nothing that looks at the body's bytes
 * @throws RequestError where it has more bytes than the limit, is compressed in another way, or breaks off
 */
export async function withBody<T>(c: RequestContext, limit: number, use: (body: Uint8Array) => T): Promise<Awaited<T>> {
  const encoding = encodingOf(c.req.raw);
  const sent = await readBytes(c, limit);
  const body = encoding === 'identity' ? sent : decode(sent, encoding, limit);
  try {
    return await use(body);
  } finally {
    giveBack(body);
  }
}

async function readBytes(c: RequestContext, limit: number): Promise<Uint8Array> {
  const declared = c.req.header('content-length');
  const isOpen = declared === undefined || c.req.header('transfer-encoding') !== undefined;
  // A middleware of the app that this one is mounted in may have read the body, which Hono then keeps.
  const { bodyUsed: isRead } = c.req.raw;
  const stream: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (!isOpen && Number(declared) > limit) throw tooLarge(limit);
  try {
    if (isOpen && !isRead && stream) return await join(stream, limit);
    // What Hono keeps is not this Worker's to give back.
    const body = new Uint8Array(isRead ? (await c.req.arrayBuffer()).slice() : await c.req.raw.arrayBuffer());
    if (body.byteLength > limit) throw tooLarge(limit);
    return body;
  } catch (error) {
    if (error instanceof RequestError || isRead) throw error;
    // Whoever hangs up hears no answer: this is for the logs, where it is none of the Worker's faults.
    throw new RequestError('malformed', 'body: expected all of it, got a connection that ended before');
  }
}

const tooLarge = (limit: number): RequestError =>
  new RequestError('too large', `body: expected at most ${limit} bytes, got more`);

/**
 * All of a stream in one array, which doubles as its bytes come; what it was before is given back, as V8 would let it lie for long.
 * @throws RequestError where there are more bytes than the limit, without reading on
 */
async function join(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  let whole = new Uint8Array(PIECE);
  let size = 0;
  try {
    for await (const piece of piecesOf(stream)) {
      const end = size + piece.byteLength;
      if (end > limit) throw tooLarge(limit);
      if (end > whole.byteLength) whole = grown(whole, Math.min(limit, Math.max(end, 2 * whole.byteLength)));
      whole.set(piece, size);
      size = end;
    }
    return whole.subarray(0, size);
  } catch (error) {
    giveBack(whole);
    throw error;
  }
}

function grown(small: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> {
  const large = new Uint8Array(bytes);
  large.set(small);
  giveBack(small);
  return large;
}

const PIECE = 64 * 1024;

/**
 * Read into the same memory one after the other, where the stream can: each is to be copied before the next is asked for. Else workerd
 * would make thousands of buffers of 4 KiB of an upload.
 */
async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = byobReaderOf(stream);
  if (!reader) {
    yield* stream;
    return;
  }
  try {
    for (let memory = new Uint8Array(PIECE); ;) {
      const { done, value } = await reader.read(memory);
      if (done) return;
      yield value;
      memory = new Uint8Array(value.buffer);
    }
  } finally {
    // Of a body that is too large nobody wants the rest.
    reader.cancel().catch(() => undefined);
  }
}

/** @returns undefined where the stream is one of chunks, as those that other programs make are */
function byobReaderOf(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch {
    return undefined;
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
