/** Every request to the Worker under test, and every answer, is held against the document that it serves. */
import { exports } from 'cloudflare:workers';
import * as z from 'zod';

interface Body {
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: { readonly type?: string; readonly enum?: readonly string[] };
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Body;
  readonly responses: Readonly<Record<string, Body>>;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** What was sent and what came back; bodies are JSON where they could be parsed, and undefined where they are something else. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly sent: unknown;
  readonly status: number;
  readonly type: string | null;
  readonly answered: unknown;
}

/** They are the document, its page, and what the page needs. */
const undocumented = /^\/(docs(\/style\.css)?|openapi\.json)?$/;

let served: Promise<Document> | undefined;

export async function documentOf(): Promise<Document> {
  served ??= exports.default.fetch('http://worker/openapi.json').then((response) => response.json<Document>());
  return served;
}

/** @throws Error where an answer of 2xx is to a request that the document does not have, or anything answered is not what it says */
export async function checkDocumented(exchange: Exchange): Promise<void> {
  const document = await documentOf();
  const { method, url, status } = exchange;
  const isRight = status < 300;
  const path = url.pathname.replace(/(.)\/$/, '$1');
  const found = operationOf(document, path, method === 'HEAD' ? 'GET' : method);
  if (!found) {
    const isKnown = !isRight || method === 'OPTIONS' || undocumented.test(path);
    if (!isKnown) throw new Error(`${method} ${path}: answered ${status}, and is in no document`);
    return;
  }
  const { operation, values } = found;
  const complaints = isRight
    ? [
        ...complaintsOfParameters(document, operation, values, url),
        ...complaintsOfRequest(document, operation, exchange),
      ]
    : [];
  complaints.push(...complaintsOfAnswer(document, operation, exchange));
  if (complaints.length > 0) throw new Error(`${method} ${path}: ${status}, but ${complaints.join('; ')}`);
}

interface Found {
  readonly operation: Operation;
  /** Of the path. */
  readonly values: Readonly<Record<string, string>>;
}

/** A path without parameters comes before one with them. */
function operationOf({ paths }: Document, path: string, method: string): Found | undefined {
  const templates = Object.keys(paths).toSorted((a, b) => a.split('{').length - b.split('{').length);
  for (const template of templates) {
    const pattern = template.replaceAll(/[.*+?^$()[\]\\]/g, String.raw`\$&`).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/:]+)');
    const match = new RegExp(`^${pattern}$`).exec(decoded(path));
    const operation = paths[template]?.[method.toLowerCase()];
    if (match && operation) return { operation, values: match.groups ?? {} };
  }
  return undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function complaintsOfParameters(
  document: Document,
  { parameters = [] }: Operation,
  values: Readonly<Record<string, string>>,
  { searchParams }: URL,
): string[] {
  return parameters.flatMap(({ name, in: place, required, schema }) => {
    const text = place === 'path' ? values[name] : place === 'query' ? searchParams.getAll(name).at(-1) : undefined;
    if (text === undefined) return required ? [`${name} is missing`] : [];
    const value = schema.type === 'string' || schema.enum ? text : (parsed(text) ?? text);
    return complaintsOf(document, schema, value, `${place} ${name}`);
  });
}

/** Under another type than JSON's come bytes, lines or, from clients that name none, JSON as well. */
function complaintsOfRequest(document: Document, { requestBody }: Operation, { headers, sent }: Exchange): string[] {
  if (!requestBody) return [];
  const type = mediaType(headers.get('content-type')) ?? 'application/json';
  const isForm = type === 'application/x-www-form-urlencoded' || type.startsWith('image/');
  if (!isForm && !(type in requestBody.content)) return [`requests of ${type} are in no document`];
  const schema = type === 'application/json' && requestBody.content[type]?.schema;
  return schema && sent !== undefined ? complaintsOf(document, schema, sent, 'request') : [];
}

function complaintsOfAnswer(document: Document, { responses }: Operation, exchange: Exchange): string[] {
  const { status, type, answered, method } = exchange;
  if (status === 304 || method === 'HEAD') return [];
  const { content } = responses[String(status)] ?? responses['default'] ?? { content: {} };
  const sent = mediaType(type) ?? 'none';
  // Only who asks for bytes gets them, which is why the document describes them in words.
  if (sent === 'application/octet-stream') return [];
  const { schema } = content[sent] ?? {};
  if (!schema) return [`answers of ${sent} are in no document`];
  return sent === 'application/json' ? complaintsOf(document, schema, answered, 'answer') : [];
}

const mediaType = (header: string | null): string | undefined =>
  header?.split(';')[0]?.trim().toLowerCase() || undefined;

const validators = new Map<string, z.ZodType>();

/** What is wrong with a value, by the path to it. */
export function complaintsOf({ components }: Document, schema: object, value: unknown, what: string): string[] {
  const key = JSON.stringify(schema);
  const text = JSON.stringify({ $defs: components.schemas, ...schema }).replaceAll('#/components/schemas/', '#/$defs/');
  const validator = validators.get(key) ?? z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
  validators.set(key, validator);
  const { error } = validator.safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => `the ${what} at ${path.join('.')}: ${message}`);
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
