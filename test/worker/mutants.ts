/** Generates right requests and mutates them. The same seed gives the same mutant. */
import { gzipSync, zlibSync } from 'fflate';
import { seeded, type Random } from '../reference/random.ts';
import { pixels } from './pixels.ts';
import { seven } from './pictures.ts';

export interface Mutant {
  readonly path: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  /** `null` means no body. */
  readonly body: Uint8Array | null;
}

type Mutation = (random: Random, mutant: Mutant) => Mutant;

const HEADER = 'inference-header-content-length';
const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[below(random, items.length)] as Item;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const models = ['digits', 'identity', 'arithmetic', 'photo', 'customers', 'nobody', '__proto__', '%00', ''];
const ends = [
  'infer',
  'classify',
  'explain',
  'batchnorm',
  'ready',
  '',
  'versions/3/infer',
  'versions/-1/infer',
  'load',
  'config',
  'stats',
];
const types = [
  'application/json',
  'application/octet-stream',
  'image/png',
  'image/jpeg',
  'text/plain',
  '',
  ';',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded',
  'application/jsonl',
  'text/csv',
];
const queries = [
  '',
  '?top_k=-1',
  '?top_k=1e9',
  '?statistics=batch',
  '?image=true',
  '?sample=9007199254740993',
  '?bins=1000000',
  '?%',
  '?tensors=true',
  '?unknown=fill',
  '?unknown=often',
  '?explain=true',
  '?explain=true&explain=false&unknown=ignore',
];

/** JSON values that fit nowhere, or only seem to fit. */
const hostile: readonly string[] = [
  'null', 'true', '-1', '0', '1.5', '-0', '1e400', '-1e400', '9007199254740993', '4294967296', 'NaN', 'Infinity', '""',
  '"\\ud800"', '"FP32"', '"BYTES"', '[]', '{}', '[[]]', '{"__proto__": {"name": "pixels"}}', '{"length": 4294967295}',
  '[1099511627776, 1, 28, 28]', '[-1, -1, 28, 28]', '[2147483647, 2147483647]', '['.repeat(50) + ']'.repeat(50),
  '['.repeat(20_000), `"${'x'.repeat(5000)}"`,
]; // oxfmt-ignore

const classes = { name: 'logits', parameters: { classification: 3, binary_data: true } };

/** Returns rows as the V1 protocol writes them, [N][1][28][28]. */
const nested = (data: readonly number[], batch: number): number[][][][] =>
  Array.from({ length: batch }, (_, n) => [
    Array.from({ length: 28 }, (_, y) => data.slice(n * 784 + y * 28, n * 784 + (y + 1) * 28)),
  ]);

const lines = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join('\n');

/** Returns rows by name: for each column a value that it accepts, sometimes a gap. */
function customers(random: Random, count: number): readonly Readonly<Record<string, string | number | null>>[] {
  return Array.from({ length: count }, () => ({
    plan: pick(random, ['Free', 'Pro', 'Ünïcode, "quoted"']),
    seats: pick(random, [1, 12.5, '7', 499]),
    spend: pick(random, [null, '', 'NA', 180.5, '$1,200.50', 1e9]),
    since: pick(random, [null, '2021-06-15', '2021/6/15', '1970-01-01']),
  }));
}

const quoted = (value: string | number | null): string => `"${String(value ?? '').replaceAll('"', '""')}"`;

const csvOf = (random: Random, rows: readonly Readonly<Record<string, string | number | null>>[]): string => {
  const between = pick(random, [',', ';', '\t', '|']);
  const end = pick(random, ['\n', '\r\n', '\r']);
  const lines = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row).map(quoted))];
  return pick(random, ['', '\ufeff']) + lines.map((cells) => cells.join(between)).join(end);
};

/** Returns a right request of any kind. */
function rightRequest(random: Random): Mutant {
  const json = { 'content-type': 'application/json' };
  const batch = 1 + below(random, 3);
  const image = pixels(batch, below(random, 9));
  const { data, ...rest } = image;
  const parameters = {
    statistics: pick(random, ['running', 'batch']),
    image: true,
    tensors: random() < 0.1,
    sample: 0,
  };
  const text = (value: unknown): Uint8Array => encode(JSON.stringify(value));
  const post = (path: string, body: Uint8Array, headers: Record<string, string>): Mutant => ({
    path,
    method: 'POST',
    headers,
    body,
  });
  const bytes = new Uint8Array(Float32Array.from(data).buffer);
  const head = text({ inputs: [{ ...rest, parameters: { binary_data_size: bytes.length } }] });
  const identity = { bool: [true], uint8: [1], int64: [1], fp16: [1], fp64: [1] };
  const passed = Object.entries(identity).map(([name, data]) => ({
    name,
    datatype: name.toUpperCase(),
    shape: [1],
    data,
  }));
  const operands = ['left', 'right'].map((name) => ({ name, datatype: 'FP32', shape: [2], data: [1, 2] }));
  const named = customers(random, batch);
  const rows = '/v1/models/customers:predict';
  const format = pick(random, ['grey', 'bits', 'rgba', 'palette', 'grey16'] as const);
  return pick(random, [
    () =>
      post(
        '/v2/models/digits/infer',
        text({ id: 'x', parameters, inputs: [image], outputs: [{ name: 'logits' }] }),
        json,
      ),
    () => post('/v2/models/identity/infer', text({ inputs: passed }), json),
    () => post('/v2/models/arithmetic/infer', text({ inputs: operands }), json),
    () => post('/v2/models/digits/infer', Uint8Array.from([...head, ...bytes]), { [HEADER]: String(head.length) }),
    () => post('/v2/models/digits/infer', bytes, { [HEADER]: '0' }),
    () => post('/v2/models/digits/classify', text({ parameters, inputs: [image] }), json),
    () => post('/v2/models/digits/explain', text({ parameters, inputs: [image] }), json),
    () => post('/v2/models/digits/classify', seven({ format }), { 'content-type': 'image/png' }),
    () => post('/v2/models/digits/explain', Uint8Array.from(data), { 'content-type': 'application/octet-stream' }),
    () => post('/v1/models/digits:predict', text({ instances: nested(data, batch) }), json),
    () => post('/v1/models/digits/versions/3:predict', text(nested(data, batch)), { 'content-type': '' }),
    () =>
      post('/v1/models/iris-forest:predict', encode('[1,2,3,4]\n[5,6,7,8]\n'), { 'content-type': 'application/jsonl' }),
    () =>
      post('/v1/models/digits:predict', encode(lines(nested(data, batch))), { 'content-type': 'application/jsonl' }),
    () =>
      post(
        rows,
        text({
          instances: named,
          parameters: { explain: pick(random, [true, false]), unknown: pick(random, ['refuse', 'ignore', 'fill']) },
        }),
        json,
      ),
    () =>
      post(
        '/v1/models/customers/versions/1%3Apredict',
        text(pick(random, [named, named[0], named.map((row) => Object.values(row))])),
        {},
      ),
    () =>
      post(rows, encode(csvOf(random, named)), {
        'content-type': 'text/csv',
        accept: pick(random, ['text/csv', '*/*']),
      }),
    () => post(`${rows}?unknown=fill`, encode(lines(named)), { 'content-type': 'application/x-ndjson' }),
    () => post('/v2/models/customers/classify', text({ instances: named }), json),
    () => post('/v2/models/customers/explain', text({ instances: named, parameters: { sample: 0 } }), json),
    () => post('/v2/models/digits/infer', text({ inputs: [image], outputs: [classes] }), {}),
    () => post('/v2/models/digits/infer', zlibSync(text({ inputs: [image] })), { 'content-encoding': 'deflate' }),
    () => post('/v2/models/digits/classify', gzipSync(text({ inputs: [image] })), { 'content-encoding': 'gzip' }),
    () => post('/v2/repository/index', text({ ready: true }), json),
    (): Mutant => ({ path: '/v2/models/digits/batchnorm', method: 'GET', headers: {}, body: null }),
  ])();
}

const onBody =
  (change: (random: Random, body: Uint8Array) => Uint8Array): Mutation =>
  (random, mutant) =>
    mutant.body === null ? mutant : { ...mutant, body: change(random, mutant.body) };

const mutations: readonly Mutation[] = [
  onBody((random, body) => body.subarray(0, below(random, body.length + 1))),
  onBody((random, body) => (body.length === 0 ? body : body.with(below(random, body.length), below(random, 256)))),
  onBody((random, body) => Uint8Array.from([...body, ...body.subarray(below(random, body.length + 1))])),
  onBody(replaceValue),
  onBody(replaceValue),
  onBody(replaceKey),
  (random, mutant) => ({ ...mutant, headers: { ...mutant.headers, 'content-type': pick(random, types) } }),
  (random, mutant) => ({
    ...mutant,
    headers: { ...mutant.headers, [HEADER]: pick(random, ['0', '-1', '1e3', '7', '99999999999', '', 'x']) },
  }),
  (random, mutant) => ({
    ...mutant,
    headers: { ...mutant.headers, 'content-length': pick(random, ['0', '1', '99999999']) },
  }),
  (random, mutant) => ({ ...mutant, path: `${mutant.path}${pick(random, queries)}` }),
  (random, mutant) => ({ ...mutant, path: `/v2/models/${pick(random, models)}/${pick(random, ends)}` }),
  (random, mutant) => ({
    ...mutant,
    path: `/v1/models/${pick(random, models)}${pick(random, [':predict', '', ':', '%3Apredict', '/versions/3:predict'])}`,
  }),
  (random, mutant) => ({
    ...mutant,
    headers: { ...mutant.headers, 'content-encoding': pick(random, ['gzip', 'deflate', 'br', 'x-gzip', '']) },
  }),
  (random, mutant) => ({ ...mutant, method: pick(random, ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) }),
];

/** Replaces one of the JSON's values with a hostile value. */
function replaceValue(random: Random, body: Uint8Array): Uint8Array {
  return replaceOne(
    random,
    body,
    /"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|\[[^[\]]*\]|\{[^{}]*\}/g,
    pick(random, hostile),
  );
}

/** Renames one member. */
function replaceKey(random: Random, body: Uint8Array): Uint8Array {
  return replaceOne(
    random,
    body,
    /"\w+"(?=\s*:)/g,
    pick(random, ['"name"', '"data"', '"shape"', '"__proto__"', '"constructor"', '""']),
  );
}

/**
 * Replaces one of the first and last matches. Among all matches, nearly every pick would be one of an image's thousands
 * of numbers.
 */
function replaceOne(random: Random, body: Uint8Array, pattern: RegExp, replacement: string): Uint8Array {
  const text = new TextDecoder().decode(body);
  const matches = [...text.matchAll(pattern)];
  const likely = [...matches.slice(0, 16), ...matches.slice(-16)];
  if (likely.length === 0) return body;
  const { index, 0: match } = pick(random, likely);
  return encode(text.slice(0, index) + replacement + text.slice(index + match.length));
}

/** Returns a request without mutations. */
export const rightOf = (seed: number): Mutant => rightRequest(seeded(seed));

/** Returns a request with one to three mutations. */
export function mutantOf(seed: number): Mutant {
  const random = seeded(seed);
  const count = 1 + below(random, 3);
  return Array.from({ length: count }, () => pick(random, mutations)).reduce(
    (mutant, mutate) => mutate(random, mutant),
    rightRequest(random),
  );
}
