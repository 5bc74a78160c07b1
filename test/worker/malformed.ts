/** Bodies that are not inference requests for any model, and the answer to each. */
import { pixels } from './client.ts';
import { parsed } from './document.ts';

/** Marks what only the body contains: no answer may repeat it. */
export const SECRET = 'c0ffee-secret';

export const one = pixels(1);
export const withInput = (change: Record<string, unknown>): object => ({ inputs: [{ ...one, ...change }] });

export interface Case {
  readonly name: string;
  readonly path?: string;
  readonly body: unknown;
  readonly status?: number;
  readonly error: string;
}

export const bodies: Case[] = [
  { name: 'an empty body', body: '', error: 'body: expected JSON in UTF-8, got 0 bytes that are not' },
  {
    name: 'text that is not JSON',
    body: SECRET,
    error: 'body: expected JSON in UTF-8, got 13 bytes that are not',
  },
  {
    name: 'bytes that are not UTF-8',
    body: new Uint8Array([34, 255, 34]),
    error: 'body: expected JSON in UTF-8, got 3 bytes that are not',
  },
  {
    name: 'a truncated object',
    body: '{"inputs": [',
    error: 'body: expected JSON in UTF-8, got 12 bytes that are not',
  },
  {
    name: "Python's NaN",
    body: '{"inputs": [{"name": "NaN", "data": [1, NaN]}]}',
    error: 'body: expected JSON, got NaN at byte 40: write null or "NaN"',
  },
  {
    name: "Python's None behind a text with quotes",
    body: String.raw`{"id": "\"é\\", "inputs": None}`,
    error: 'body: expected JSON, got None at byte 27: write null or "NaN"',
  },
  {
    name: 'an infinity',
    body: '[-Infinity]',
    error: 'body: expected JSON, got -Infinity at byte 1: write "Infinity" or "-Infinity"',
  },
  ...['.5', '1.', '+1', '01', '0x1F', '1_000', '1e', '-.5'].map((number) => ({
    name: `the number ${number}`,
    body: `{"inputs": [{"data": [1, ${number}]}]}`,
    error: `body: expected a number as JSON has them at byte 25, got "${number}"`,
  })),
  {
    name: 'deep nesting',
    body: '['.repeat(100_000) + ']'.repeat(100_000),
    error: 'body: expected JSON nested at most 32 deep, got more',
  },
  { name: 'an array', body: '[]', error: 'body: expected a JSON object, got an array of 0' },
  { name: 'null', body: 'null', error: 'body: expected a JSON object, got null' },
  { name: 'no inputs', body: {}, error: 'inputs: expected an array of at most 64 items, got nothing' },
  {
    name: 'inputs that are an object',
    body: { inputs: {} },
    error: 'inputs: expected an array of at most 64 items, got an object',
  },
  {
    name: 'a flood of inputs',
    body: { inputs: Array(1000).fill({}) },
    error: 'inputs: expected an array of at most 64 items, got an array of 1000',
  },
  {
    name: 'an input that is a string',
    body: { inputs: [SECRET] },
    error: 'inputs[0]: expected an object, got a string',
  },
  { name: 'a numeric id', body: { id: 7, inputs: [one] }, error: 'id: expected a string, got 7' },
  {
    name: 'a flood of parameters',
    body: { parameters: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, i])), inputs: [one] },
    error: 'parameters: expected an object of at most 64 parameters, got an object',
  },
  {
    name: 'parameters that are an array',
    body: { parameters: [], inputs: [one] },
    error: 'parameters: expected an object of at most 64 parameters, got an array of 0',
  },
  {
    name: 'unknown statistics',
    body: { parameters: { statistics: SECRET }, inputs: [one] },
    error: 'parameters.statistics: expected "running" or "batch", got a string',
  },
  {
    name: 'an output without name',
    body: { inputs: [one], outputs: [{}] },
    error: 'outputs[0].name: expected a string, got nothing',
  },
  {
    name: 'a tensor without name',
    body: withInput({ name: undefined }),
    error: 'inputs[0].name: expected a string, got nothing',
  },
  {
    name: 'a tensor without shape',
    body: withInput({ shape: undefined }),
    error: 'inputs[0].shape: expected an array of at most 64 items, got nothing',
  },
  {
    name: 'a fractional dimension',
    body: withInput({ shape: [1.5, 1, 28, 28] }),
    error: 'inputs[0].shape[0]: expected an integer, got 1.5',
  },
  {
    name: 'a datatype that is a number',
    body: withInput({ datatype: 1 }),
    error: 'inputs[0].datatype: expected a string, got 1',
  },
  {
    name: 'data that is a string',
    body: withInput({ data: SECRET }),
    error: 'inputs[0].data: expected an array, got a string',
  },
];

/** The bodies that are JSON, parsed: the document must refuse them. */
export const formless = bodies.flatMap(({ name, body }) => {
  const value = parsed(typeof body === 'string' ? body : body instanceof Uint8Array ? '' : JSON.stringify(body));
  return value === undefined ? [] : [{ name, body: value }];
});
