/** Checks every request to a Worker under test, and every answer, against the document that the Worker serves. */
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

/** A request and its answer. Bodies are parsed JSON, and undefined where they are something else. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly sent: unknown;
  readonly status: number;
  readonly type: string | null;
  readonly answered: unknown;
}

/** Matches the documented paths. Others are the document, its page, the page's files, and routes of the host app. */
const ownPath = /^\/v[12](\/|$)/;

/**
 * @throws Error where a request that the document lacks or forbids gets a 2xx, or an answer contradicts the document
 */
export function checkDocumented(document: Document, exchange: Exchange): void {
  const { method, url, status } = exchange;
  const path = url.pathname.replace(/(.)\/$/, '$1');
  const all = operationsOf(document, path, method === 'HEAD' ? 'GET' : method);
  const named = all.filter(({ operation, values }) => isNamed(operation, values));
  const found = named.length > 0 ? named : all;
  if (found.length === 0) {
    if (status >= 300 || method === 'OPTIONS' || !ownPath.test(path)) return;
    throw new Error(`${method} ${path}: answered ${status}, and is in no document`);
  }
  const complaints = [
    ...(status < 300 ? fewest(found.map((one) => complaintsOfQuestion(document, one, exchange))) : []),
    ...complaintsOfAnswers(document, found, exchange),
  ];
  if (complaints.length > 0) throw new Error(`${method} ${path}: ${status}, but ${complaints.join('; ')}`);
}

/** Returns whether the document lists the path's parameters, such as the names of models. */
const isNamed = ({ parameters = [] }: Operation, values: Found['values']): boolean =>
  parameters.every(({ name, schema: { enum: names } }) => {
    const value = values[name];
    return value === undefined || !names || names.includes(value);
  });

/**
 * Keeps the operation that fits best: the path of one model describes one form of request, the path of all models the
 * others.
 */
const fewest = (all: readonly (readonly string[])[]): readonly string[] =>
  all.reduce((min, one) => (one.length < min.length ? one : min));

const complaintsOfQuestion = (
  document: Document,
  { operation, values }: Found,
  exchange: Exchange,
): readonly string[] => [
  ...complaintsOfParameters(document, operation, values, exchange.url),
  ...complaintsOfRequest(document, operation, exchange),
];

/** A JSON answer must match every operation found, another answer at least one. */
function complaintsOfAnswers(document: Document, found: readonly Found[], exchange: Exchange): readonly string[] {
  const all = found.map(({ operation }) => complaintsOfAnswer(document, operation, exchange));
  return mediaType(exchange.type) === 'application/json' ? all.flat() : fewest(all);
}

interface Found {
  readonly operation: Operation;
  /** The values of the path's parameters. */
  readonly values: Readonly<Record<string, string>>;
}

function operationsOf({ paths }: Document, path: string, method: string): readonly Found[] {
  return Object.entries(paths).flatMap(([template, methods]) => {
    const pattern = template.replaceAll(/[.*+?^$()[\]\\]/g, String.raw`\$&`).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/:]+)');
    const match = new RegExp(`^${pattern}$`).exec(decoded(path));
    const operation = methods[method.toLowerCase()];
    return match && operation ? [{ operation, values: match.groups ?? {} }] : [];
  });
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

/** The schema applies to JSON only. Other types carry bytes, lines or, from clients that name no type, JSON as well. */
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
  // Only requests that ask for bytes get them, so the document describes them in words.
  if (sent === 'application/octet-stream') return [];
  const { schema } = content[sent] ?? {};
  if (!schema) return [`answers of ${sent} are in no document`];
  return sent === 'application/json' ? complaintsOf(document, schema, answered, 'answer') : [];
}

const mediaType = (header: string | null): string | undefined =>
  header?.split(';')[0]?.trim().toLowerCase() || undefined;

const validators = new WeakMap<Document, Map<string, z.ZodType>>();

/** Lists what is wrong with a value, each with the path to it. */
export function complaintsOf(document: Document, schema: object, value: unknown, what: string): string[] {
  const key = JSON.stringify(schema);
  const known = validators.get(document) ?? new Map<string, z.ZodType>();
  validators.set(document, known);
  const validator = known.get(key) ?? validatorOf(document, schema);
  known.set(key, validator);
  const { error } = validator.safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => `the ${what} at ${path.join('.')}: ${message}`);
}

function validatorOf({ components }: Document, schema: object): z.ZodType {
  const text = JSON.stringify({ $defs: components.schemas, ...schema }).replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0]);
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
