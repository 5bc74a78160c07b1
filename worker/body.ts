/** The request's body, as far as it can be judged before it is known what it says: media type, size, encoding, JSON. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { limitsOf, type Env } from './env.ts';
import { quote, RequestError } from './errors.ts';

/** Deeper than any tensor; JSON nested further is refused before it is parsed. */
const MAX_DEPTH = 32;

const [quoteMark, backslash] = [0x22, 0x5c];

/** What a character outside of strings adds to the depth, by its code. */
const steps = Int8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return Number('[{'.includes(character)) - Number(']}'.includes(character));
});

/** What decoders put in the place of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';

const decoder = new TextDecoder();

/** @throws RequestError where the body is larger than configured */
export async function readBytes(c: Context<{ Bindings: Env }, string>): Promise<Uint8Array> {
  await limitBody(c);
  return new Uint8Array(await c.req.arrayBuffer());
}

/** @throws RequestError where the body is larger than configured */
export async function readText(c: Context<{ Bindings: Env }, string>): Promise<string> {
  await limitBody(c);
  return c.req.text();
}

export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);

/** The declared length is judged before anything is read; where none is declared, reading stops at the limit. */
async function limitBody(c: Context<{ Bindings: Env }, string>): Promise<void> {
  const { bodyBytes } = limitsOf(c.env);
  const onError = (): never => {
    throw new RequestError('too large', `body: expected at most ${bodyBytes} bytes, got more`);
  };
  const declared = c.req.header('content-length');
  if (declared === undefined || c.req.header('transfer-encoding') !== undefined) {
    await bodyLimit({ maxSize: bodyBytes, onError })(c, () => Promise.resolve());
  } else if (Number(declared) > bodyBytes) onError();
}

/** @throws RequestError where the body is not `application/json`, as it is */
export function requireJson(request: Request): void {
  const type = mediaType(request);
  if (type !== 'application/json') {
    throw new RequestError(
      'unsupported media type',
      `content-type: expected application/json, got ${type === undefined ? 'nothing' : quote(request.headers.get('content-type') ?? '')}`,
    );
  }
  checkEncoding(request);
}

/** @throws RequestError where the body is compressed */
export function checkEncoding({ headers }: Request): void {
  const encoding = headers.get('content-encoding');
  if (encoding === null || encoding.trim().toLowerCase() === 'identity') return;
  throw new RequestError('unsupported media type', `content-encoding: expected identity, got ${quote(encoding)}`);
}

/** In lower case, without parameters. */
export function mediaType({ headers }: Request): string | undefined {
  return headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
}

/** @throws RequestError where the text is not JSON, was not UTF-8, or is nested too deep */
export function parseJson(text: string): unknown {
  if (isDeep(text))
    throw new RequestError('malformed', `body: expected JSON nested at most ${MAX_DEPTH} deep, got more`);
  try {
    if (!text.includes(REPLACEMENT)) return JSON.parse(text) as unknown;
  } catch {
    // Told below, as for bytes that are not UTF-8.
  }
  throw new RequestError('malformed', `body: expected JSON in UTF-8, got ${text.length} characters that are not`);
}

/** Counts brackets outside of strings. */
function isDeep(text: string): boolean {
  let [depth, inString] = [0, false];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quoteMark) inString = !inString;
    else if (!inString) depth += steps[code] ?? 0;
    else if (code === backslash) i++;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}
