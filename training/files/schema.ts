/**
 * Checks values from files against zod schemas. A violation becomes one line that names the key, what was expected and
 * what came.
 */
import type * as z from 'zod';
import { oneLine, printable, quote, UserError } from './errors.ts';

/**
 * Returns the value as the schema parses it.
 *
 * @throws UserError in one line that begins with `where`
 */
export function checked<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = check(schema, value);
  if (typeof result !== 'string') return result.value;
  throw new UserError(oneLine(`${where}: ${result}`));
}

/** Returns the value as the schema parses it, or one line that says what is wrong with it. */
export function check<S extends z.ZodType>(schema: S, value: unknown): { readonly value: z.output<S> } | string {
  if (isDeeper(value, maxLevels)) return `expected at most ${maxLevels} levels, got more`;
  const result = schema.safeParse(value, { error: describe, reportInput: true });
  return result.success ? { value: result.data } : result.error.issues.map(withPath).join('; ');
}

/**
 * The maximum depth of a value. It is far below what the stack can take, since schemas and readers recurse into values.
 */
const maxLevels = 200;

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !ArrayBuffer.isView(value) &&
  (levels === 0 || Object.values(value).some((inside) => isDeeper(inside, levels - 1)));

/**
 * Checks a value, and returns the value itself: its members keep their order, and members that the schema ignores stay.
 *
 * @throws UserError as `checked`
 */
export function validated<S extends z.ZodType>(schema: S, value: unknown, where: string): z.input<S> {
  checked(schema, value, where);
  return value as z.input<S>;
}

/**
 * Parses JSON and checks it.
 *
 * @throws UserError as `checked`, and for text that is not valid JSON
 */
export function checkedJson<S extends z.ZodType>(schema: S, text: string, where: string): z.output<S> {
  return checked(schema, parseJson(text, where), where);
}

export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${where}: expected JSON, got ${text === '' ? 'nothing' : quote(text)}`, { cause: error });
  }
}

const withPath = ({ path, message }: z.core.$ZodIssue): string =>
  path.length === 0 ? message : `${dotPath(path)}: ${message}`;

/**
 * Formats a path like zod's `toDotPath`, such as `layers[2].units`. It is written anew so that zod is loaded only by
 * callers that have a schema.
 */
const dotPath = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`;
      const name = String(key);
      return /[^\w$]/.test(name) || typeof key === 'symbol' ? `[${JSON.stringify(name)}]` : `.${name}`;
    })
    .join('')
    .replace(/^\./, '');

function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'custom') return undefined;
  if (issue.code === 'unrecognized_keys') {
    const { def } = (issue.inst as z.ZodObject | undefined)?._zod ?? {};
    const known = Object.keys(def?.shape ?? {}).join(', ');
    return `unknown ${issue.keys.length > 1 ? 'keys' : 'key'} ${issue.keys.map(quote).join(', ')}; known are ${known}`;
  }
  return `expected ${expectation(issue)}, got ${shown(valueOf(issue))}`;
}

type Described = Exclude<z.core.$ZodIssue, { code: 'custom' | 'unrecognized_keys' }>;
type RawDescribed = z.core.$ZodRawIssue<Described>;

/** Returns the value to show. Where the discriminator of a union is wrong, that is the discriminator's value. */
const valueOf = (issue: RawDescribed): unknown =>
  issue.code === 'invalid_union' && issue.discriminator !== undefined
    ? (issue.input as Readonly<Record<string, unknown>>)[issue.discriminator]
    : issue.input;

const types: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

function expectation(issue: RawDescribed | z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return types[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return listed(issue.values.map((value) => JSON.stringify(value)));
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'above' : 'of at least', issue.minimum);
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'below' : 'of at most', issue.maximum);
    case 'invalid_union':
      return issue.inclusive !== false && issue.options
        ? listed(issue.options.map((option) => JSON.stringify(option)))
        : listed(issue.errors.flatMap(([first]) => (first ? [expectation(first)] : [])));
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return issue.message ?? issue.code;
  }
}

/** Describes a limit: `a number of at least 1`, `a list of at least 1`. */
const bound = (origin: string, relation: string, limit: number | bigint): string =>
  `${types[origin] ?? origin} ${relation} ${limit}`;

const listed = (names: readonly string[]): string =>
  new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(new Set(names));

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return String(value);
  // A network file may hold any value; JSON cannot represent these.
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`;
  const text = printable(jsonOf(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** Serializes a value for a message. A network file may also hold values without JSON inside a structure. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, inside: unknown) => (typeof inside === 'bigint' ? `${inside}n` : inside));
  } catch {
    return 'what has no JSON';
  }
}

const LONGEST_VALUE = 60;
