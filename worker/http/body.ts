/** Reads the body of a request and checks what needs no parsing: media type, size, encoding. */
import { giveBack } from '../../training/pictures/picture.ts';
import type { RequestContext } from './context.ts';
import { encodingOf, inflateBody } from './inflate-body.ts';
import { quote, RequestError } from '../errors.ts';

/**
 * Calls `use` with the whole body, inflated if it came compressed. The declared length is checked before anything is
 * read; without one, reading stops at the limit, as inflating does. Afterwards the body's memory is given back, because
 * V8 would let several large ones pile up.
 * @param use must not keep anything that refers to the body's bytes
 * @throws RequestError when the body is larger than the limit, has an unsupported encoding, or breaks off
 */
export async function withBody<T>(c: RequestContext, limit: number, use: (body: Uint8Array) => T): Promise<Awaited<T>> {
  const encoding = encodingOf(c.req.raw);
  const sent = await readBytes(c, limit);
  const body = encoding === 'identity' ? sent : inflateBody(sent, encoding, limit);
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
    // Hono's copy is not this Worker's to give back, hence the slice.
    const body = new Uint8Array(isRead ? (await c.req.arrayBuffer()).slice() : await c.req.raw.arrayBuffer());
    if (body.byteLength > limit) throw tooLarge(limit);
    return body;
  } catch (error) {
    if (error instanceof RequestError || isRead) throw error;
    // A client that hangs up gets no answer. The error is for the log, where it must not count as a fault of the
    // Worker.
    throw new RequestError('malformed', 'body: expected all of it, got a connection that ended before');
  }
}

const tooLarge = (limit: number): RequestError =>
  new RequestError('too large', `body: expected at most ${limit} bytes, got more`);

/**
 * Collects a stream in one array, which doubles as bytes arrive. Each smaller array is given back, because V8 would
 * keep it for long.
 * @throws RequestError when there are more bytes than the limit, without reading on
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
 * Yields the pieces of a stream. Where the stream allows it, all are read into the same memory, so that each must be
 * copied before the next is requested; otherwise workerd would make thousands of buffers of 4 KiB for one upload.
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
    // Nothing needs the rest of a body that is too large.
    reader.cancel().catch(() => undefined);
  }
}

/** @returns undefined when the stream is not a byte stream, as streams that other programs make often are not */
function byobReaderOf(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: 'byob' });
  } catch {
    return undefined;
  }
}

/**
 * Media types under which JSON arrives: Python's Triton client sends none, or that of bytes, and `curl -d` that of a
 * form.
 */
const json = ['application/json', 'application/x-www-form-urlencoded', 'application/octet-stream', undefined];

/** @throws RequestError when the media type is not one under which JSON arrives */
export function requireJson(request: Request): void {
  const type = mediaType(request);
  if (json.includes(type)) return;
  throw new RequestError('unsupported media type', `content-type: expected application/json, got ${quote(type ?? '')}`);
}

/** Returns the media type in lower case, without parameters, and `undefined` when the request has none. */
export function mediaType({ headers }: Request): string | undefined {
  return headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
}
