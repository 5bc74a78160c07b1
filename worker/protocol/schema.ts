/**
 * Schemas of requests. Each says in JSON Schema what it takes, and reads it. They are data and small functions, which
 * cost nothing to make: every isolate makes them when it starts, where the schemas of a library took 10 ms.
 */
import { describe, RequestError } from '../errors.ts';

export interface Schema<Value> {
  /** Describes what it takes, as far as JSON Schema can. */
  readonly json: object;
  /** Is true when an object may lack a member of it. */
  readonly isOptional?: boolean;
  /**
   * @param path the path to the value; empty for the body itself
   * @throws RequestError naming the first member that does not fit
   */
  readonly read: (value: unknown, path: string) => Value;
}

/** The type that a schema reads. */
export type Read<Of> = Of extends Schema<infer Value> ? Value : never;

/** @throws RequestError naming the first member that does not fit */
export const parse = <Value>(schema: Schema<Value>, value: unknown): Value => schema.read(value, '');

const refuse = (path: string, expected: string, value: unknown): never => {
  throw new RequestError('malformed', `${path === '' ? 'body' : path}: expected ${expected}, got ${describe(value)}`);
};

/** @param expected describes the values in words, for a message */
export const values = <Value>(
  json: object,
  expected: string,
  isValue: (value: unknown) => value is Value,
): Schema<Value> => ({
  json,
  read: (value, path) => (isValue(value) ? value : refuse(path, expected, value)),
});

export const text = values({ type: 'string' }, 'a string', (value) => typeof value === 'string');
export const flag = values({ type: 'boolean' }, 'true or false', (value) => typeof value === 'boolean');

export const integer = (minimum: number, maximum: number, expected = `an integer from ${minimum} to ${maximum}`) =>
  values(
    { type: 'integer', minimum, maximum },
    expected,
    (value): value is number => Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum,
  );

export function choice<const Text extends string>(texts: readonly Text[], expected: string): Schema<Text> {
  const isValue = (value: unknown): value is Text => (texts as readonly unknown[]).includes(value);
  return values({ type: 'string', enum: texts }, expected, isValue);
}

/** Describes a member that may be absent. */
export const optional = <Value>({ json, read }: Schema<Value>): Schema<Value | undefined> => ({
  json,
  isOptional: true,
  read: (value, path) => (value === undefined ? undefined : read(value, path)),
});

/** Describes a member that may be absent or `null`, which generated clients and MLServer's send in its place. */
export const maybe = <Value>({ json, read }: Schema<Value>): Schema<Value | undefined> => ({
  json: orNull(json),
  isOptional: true,
  read: (value, path) => (value === undefined || value === null ? undefined : read(value, path)),
});

function orNull(json: object): object {
  const [[key, type] = [], ...others] = Object.entries(json);
  return key === 'type' && others.length === 0 ? { type: [type, 'null'] } : { anyOf: [json, { type: 'null' }] };
}

/** Describes a member with a default for when it is absent. */
export const withDefault = <Value>({ json, read }: Schema<Value>, fallback: Value): Schema<Value> => ({
  json: { ...json, default: fallback },
  isOptional: true,
  read: (value, path) => (value === undefined ? fallback : read(value, path)),
});

/** Describes an array, whose length is checked before its items are. */
export const list = <Item>(item: Schema<Item>, max: number): Schema<Item[]> => ({
  json: { type: 'array', items: item.json, maxItems: max },
  read: (value, path) => {
    if (!Array.isArray(value) || value.length > max) return refuse(path, `an array of at most ${max} items`, value);
    return Array.from(value, (each: unknown, i) => item.read(each, `${path}[${i}]`));
  },
});

export type Members = Readonly<Record<string, Schema<unknown>>>;

/** The type that an object of such members is read as. */
export type ObjectOf<Known extends Members> = {
  [Name in keyof Known as undefined extends Read<Known[Name]> ? never : Name]: Read<Known[Name]>;
} & { [Name in keyof Known as undefined extends Read<Known[Name]> ? Name : never]?: Read<Known[Name]> };

/** Describes an object. Unknown members are left out. */
export const object = <const Known extends Members>(known: Known, expected: string): Schema<ObjectOf<Known>> => ({
  json: objectJson(known),
  read: (value, path) => readMembers(known, isObject(value) ? value : refuse(path, expected, value), path),
});

/** Describes an object of at most `max` members. Unknown ones are kept as they came. */
export const looseObject = <const Known extends Members>(
  known: Known,
  max: number,
  expected: string,
): Schema<ObjectOf<Known> & Readonly<Record<string, unknown>>> => ({
  json: { ...objectJson(known), additionalProperties: {}, maxProperties: max },
  read: (value, path) => {
    if (!isObject(value) || Object.keys(value).length > max) return refuse(path, expected, value);
    // JSON has no prototypes, and no later reader is to get one.
    const { ['__proto__']: _, ...others } = value as Readonly<Record<string, unknown>>;
    return { ...others, ...readMembers(known, value, path) };
  },
});

function objectJson(known: Members): object {
  const members = Object.entries(known);
  const required = members.flatMap(([name, { isOptional }]) => (isOptional ? [] : [name]));
  const properties = Object.fromEntries(members.map(([name, { json }]) => [name, json]));
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}

/** Reads the members that are present, or have a default. */
function readMembers<Known extends Members>(known: Known, value: object, path: string): ObjectOf<Known> {
  const read: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(known)) {
    const isPresent = Object.hasOwn(value, name);
    const member = isPresent ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
    const result = schema.read(member, path === '' ? name : `${path}.${name}`);
    if (isPresent || result !== undefined) read[name] = result;
  }
  return read as ObjectOf<Known>;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
