/** Writes what is on screen as code to copy: a line for the shell, and one for TypeScript. */
import { type Call, mediaTypeOf, urlOf } from '../api/request.ts';

export interface Snippets {
  readonly curl: string;
  readonly typescript: string;
}

/** @param hasKey whether the Worker wants a key; the code names it and never holds it */
export async function snippetsOf(call: Call, hasKey: boolean): Promise<Snippets> {
  const url = urlOf(call);
  const type = mediaTypeOf(call.body);
  return { curl: await curlOf(call, url, type, hasKey), typescript: await typescriptOf(call, url, type, hasKey) };
}

async function curlOf({ body }: Call, url: string, type: string, hasKey: boolean): Promise<string> {
  const headers = [`-H 'content-type: ${type}'`, ...(hasKey ? ['-H "authorization: Bearer $API_KEY"'] : [])].join(' ');
  switch (body.kind) {
    case 'json':
      return `curl ${quoted(url)} \\\n  ${headers} \\\n  -d ${quoted(JSON.stringify(body.value))}`;
    case 'file':
      return `curl ${quoted(url)} \\\n  ${headers} \\\n  --data-binary ${quoted(`@${body.name}`)}`;
    case 'pixels':
      return `printf ${quoted(await packed(body.bytes))} | base64 -d | gunzip | \\\n  curl ${quoted(url)} \\\n  ${headers} --data-binary @-`;
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

async function typescriptOf({ body }: Call, url: string, type: string, hasKey: boolean): Promise<string> {
  const key = hasKey ? ', authorization: `Bearer ${process.env.API_KEY}`' : '';
  const { before, content } = await contentOf(body);
  return `${before}const response = await fetch(${written(url)}, {
  method: 'POST',
  headers: { 'content-type': '${type}'${key} },
  body: ${content},
});
if (!response.ok) throw new Error(await response.text());
const answer = await response.json();`;
}

async function contentOf(body: Call['body']): Promise<{ readonly before: string; readonly content: string }> {
  switch (body.kind) {
    case 'json':
      return { before: '', content: `JSON.stringify(${literal(body.value)})` };
    case 'file':
      return {
        before: "import { readFile } from 'node:fs/promises';\n\n",
        content: `await readFile(${written(body.name)})`,
      };
    case 'pixels':
      return {
        before: "import { gunzipSync } from 'node:zlib';\n\n",
        content: `gunzipSync(Buffer.from(${written(await packed(body.bytes))}, 'base64'))`,
      };
  }
}

/** Writes a text between single quotes. */
const written = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const MAX_IN_LINE = 60;

/**
 * Writes a value as a person would: keys without quotes where they need none, and one member per line when there are
 * many.
 */
function literal(value: unknown, indent = '  '): string {
  if (typeof value === 'string') return written(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  const parts = Array.isArray(value)
    ? value.map((item) => literal(item, inner))
    : Object.entries(value).map(([key, item]) => `${keyOf(key)}: ${literal(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{ ', ' }'];
  const line = `${open}${parts.join(', ')}${close}`;
  if (line.length <= MAX_IN_LINE || parts.every((part) => part.length < 8)) return line;
  return `${open.trim()}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close.trim()}`;
}

const keyOf = (key: string): string => (/^[a-z_$][\w$]*$/i.test(key) ? key : written(key));

/** Encodes bytes as text: gzip, in base64. */
async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  const gzip = new Uint8Array(await new Response(stream).arrayBuffer());
  return btoa(Array.from(gzip, (byte) => String.fromCharCode(byte)).join(''));
}
