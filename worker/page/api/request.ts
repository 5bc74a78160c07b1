/** Sends requests to the Worker, at the page's own address. `openapi.json` documents them. */
import { keyHeader, KeyRequired } from './key.ts';

/** A request to the Worker, as it is sent and as the lines of code show it. */
export interface Call {
  /** The path below the page's address, without a leading slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body: Body;
}

export type Body =
  | { readonly kind: 'json'; readonly value: unknown }
  /** Holds one byte for each value of each sample, one sample after the other. */
  | { readonly kind: 'pixels'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'file'; readonly file: Blob; readonly name: string };

export function urlOf({ path, query = {} }: Pick<Call, 'path' | 'query'>): string {
  const search = new URLSearchParams(query).toString();
  return new URL(search === '' ? path : `${path}?${search}`, document.baseURI).href;
}

export const mediaTypeOf = (body: Body): string =>
  body.kind === 'json'
    ? 'application/json'
    : body.kind === 'pixels'
      ? 'application/octet-stream'
      : body.file.type || 'application/octet-stream';

/** @throws KeyRequired; Error with what the Worker says */
export function send(call: Call): Promise<unknown> {
  return ask(call, {
    method: 'POST',
    headers: { 'content-type': mediaTypeOf(call.body), ...keyHeader() },
    body: contentOf(call.body),
  });
}

/** @throws KeyRequired; Error with what the Worker says */
export const read = (path: string): Promise<unknown> => ask({ path }, { headers: keyHeader() });

function contentOf(body: Body): BodyInit {
  if (body.kind === 'json') return JSON.stringify(body.value);
  return body.kind === 'pixels' ? body.bytes : body.file;
}

async function ask(to: Pick<Call, 'path' | 'query'>, init: RequestInit): Promise<unknown> {
  const response = await fetch(urlOf(to), init);
  if (response.ok) return response.json();
  if (response.status === 401) throw new KeyRequired('This Worker asks for its API key.');
  const { error } = (await response.json().catch(() => ({ error: response.statusText }))) as { error: string };
  throw new Error(error);
}
