/** Requests are read exactly as the published schemas describe them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { RequestError } from '../../../worker/errors.ts';
import * as protocol from '../../../worker/protocol/protocol.ts';
import {
  choice,
  flag,
  integer,
  list,
  looseObject,
  maybe,
  object,
  optional,
  parse,
  text,
  withDefault,
} from '../../../worker/protocol/schema.ts';

const example = object(
  {
    name: text,
    size: integer(0, 9),
    flags: maybe(list(flag, 2)),
    kind: optional(choice(['one', 'two'], '"one" or "two"')),
    most: withDefault(integer(1, 5), 3),
    more: maybe(looseObject({ known: maybe(flag) }, 2, 'an object of at most 2 parameters')),
  },
  'a JSON object',
);

const right = { name: 'a', size: 1 };

describe('a schema', () => {
  it.each([
    [right, { ...right, most: 3 }],
    [
      { ...right, flags: null, kind: 'two', most: 5, other: 1 },
      { ...right, flags: undefined, kind: 'two', most: 5 },
    ],
    [
      { ...right, flags: [true], more: { known: null, other: [1] } },
      { ...right, flags: [true], most: 3, more: { known: undefined, other: [1] } },
    ],
    [
      { ...right, more: JSON.parse('{"__proto__": {"known": true}}') as object },
      { ...right, most: 3, more: {} },
    ],
  ])('reads the members that it knows: %j', (value, read) => {
    expect(parse(example, value)).toStrictEqual(read);
  });

  it.each([
    ['text', 'body: expected a JSON object, got a string'],
    [[], 'body: expected a JSON object, got an array of 0'],
    [null, 'body: expected a JSON object, got null'],
    [{}, 'name: expected a string, got nothing'],
    // Of two wrong members, the one that comes first in the schema is named.
    [{ size: -1, name: 1 }, 'name: expected a string, got 1'],
    [{ ...right, size: -1 }, 'size: expected an integer from 0 to 9, got -1'],
    [{ ...right, size: 1.5 }, 'size: expected an integer from 0 to 9, got 1.5'],
    [{ ...right, flags: [true, 0] }, 'flags[1]: expected true or false, got 0'],
    [{ ...right, flags: [1, 1, 1] }, 'flags: expected an array of at most 2 items, got an array of 3'],
    [{ ...right, kind: 'three' }, 'kind: expected "one" or "two", got a string'],
    [{ ...right, kind: null }, 'kind: expected "one" or "two", got null'],
    [{ ...right, most: null }, 'most: expected an integer from 1 to 5, got null'],
    [{ ...right, more: { a: 1, b: 1, c: 1 } }, 'more: expected an object of at most 2 parameters, got an object'],
    [{ ...right, more: { known: 1 } }, 'more.known: expected true or false, got 1'],
  ])('refuses with the first member that does not fit: %j', (value, message) => {
    expect(() => parse(example, value)).toThrow(new RequestError('malformed', message));
  });
});

const leaf = fc.constantFrom(null, true, false, 'running', 'batch', 'fill', 'x', 0, -1, 3, 1.5, 2000, 2 ** 53);
const parameters = fc.oneof(
  fc.record(
    {
      statistics: leaf,
      binary_data_output: leaf,
      binary_data_size: leaf,
      binary_data: leaf,
      classification: leaf,
      shared_memory_region: leaf,
      unknown: leaf,
      explain: leaf,
      other: fc.array(leaf, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  ),
  leaf,
);
const port = fc.record(
  {
    name: fc.oneof({ weight: 9, arbitrary: fc.string() }, leaf),
    shape: fc.oneof({ weight: 9, arbitrary: fc.array(fc.nat(9), { maxLength: 3 }) }, fc.array(leaf), leaf),
    datatype: fc.oneof({ weight: 9, arbitrary: fc.string() }, leaf),
    parameters: fc.oneof(fc.constant({}), parameters),
    data: fc.oneof(fc.array(fc.integer()), leaf),
  },
  { requiredKeys: ['name', 'shape', 'datatype'] },
);
const ports = fc.oneof({ weight: 9, arbitrary: fc.array(port, { maxLength: 2 }) }, leaf);
const body = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record(
      {
        id: leaf,
        parameters,
        inputs: ports,
        outputs: ports,
        instances: fc.oneof(fc.array(leaf), leaf),
        ready: leaf,
        statistics: leaf,
        top_k: leaf,
        image: leaf,
        sample: leaf,
        bins: leaf,
        tensors: leaf,
        unknown: leaf,
        explain: leaf,
      },
      { requiredKeys: [] },
    ),
  },
  fc.array(leaf),
  leaf,
);

/** Builds another library's schema from the published one. */
function publishedOf(json: object): z.ZodType {
  const text = JSON.stringify({ ...json, $defs: { TensorElement: protocol.tensorElement } });
  const schema = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Parameters<
    typeof z.fromJSONSchema
  >[0];
  return z.fromJSONSchema(schema);
}

describe('what is published', () => {
  it.each([
    'inferenceRequest',
    'classifyOptions',
    'explainOptions',
    'predictOptions',
    'predictRequest',
    'repositoryRequest',
  ] as const)('takes what is read, and nothing else: %s', (name) => {
    const { json, read } = protocol[name];
    const published = publishedOf(json);
    fc.assert(
      fc.property(body, (value) => {
        const isRead = !(attempt(() => read(value, '')) instanceof RequestError);
        expect(isRead).toBe(published.safeParse(value).success);
      }),
      { numRuns: 300 },
    );
  });
});

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
