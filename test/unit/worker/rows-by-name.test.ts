/**
 * Rows by the names of their columns become the model's input over HTTP. The model here returns the numbers that its
 * rows become, and -1 for a gap.
 */
import { describe, expect, it } from 'vitest';
import type { Column } from '../../../training/columns/index.ts';
import { createWorker, type Session, type Tensor } from '../../../worker/create-worker.ts';
import { ask, type Echo, imageOf, jsonRequest, type Reply } from '../../worker/images.ts';

const columns: readonly Column[] = [
  { kind: 'categorical', name: 'plan', categories: ['Enterprise', 'Free', 'Pro'], fill: null },
  { kind: 'numeric', name: 'seats', fill: null, unit: '%' },
  { kind: 'categorical', name: 'city', categories: ['Bern', 'São Paulo', 'Rome, GA'], fill: 3, missing: 'category' },
  { kind: 'numeric', name: 'age', fill: 40, missing: 'median', indicator: true },
  { kind: 'date', name: 'since', parts: ['year'], order: 'DMY', years: [2019, 2024], fill: 2021, missing: 'median' },
];
const row = { plan: 'Free', seats: 3, city: 'Bern', age: 41, since: '2020-02-29' };
const numbers = [1, 3, 0, 41, 2020];

const filled: Session['run'] = ({ x }) => {
  const data = Float32Array.from(x?.data as ArrayLike<number>, (value) => (Number.isNaN(value) ? -1 : value));
  return { y: { dtype: 'float32', shape: x?.shape ?? [], data } };
};

const model: Echo = { name: 'churn', kind: 'number', shape: ['N', columns.length], columns, run: filled };

const workerOf = (echo: Partial<Echo> = {}) => createWorker(imageOf({ ...model, ...echo }));

const worker = workerOf();
const path = '/v1/models/churn:predict';

const send = (body: unknown, target = path): Promise<Reply> => ask(worker, target, jsonRequest(body));
const text = (type: string, body: string, headers = {}): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': type, ...headers },
});
/** Returns the status, and the numbers that the rows became. */
const values = ({ status, body }: Reply): unknown => [
  status,
  (body as { predictions?: readonly object[] } | undefined)?.predictions?.map((row) =>
    'values' in row ? row.values : row,
  ) ?? body,
];

describe('a row', () => {
  it.each<[string, unknown]>([
    ['as an instance', { instances: [row] }],
    ['with a signature, as TensorFlow Serving has it', { signature_name: 'serving_default', instances: [row] }],
    ['alone', row],
    ['in a list', [row]],
    ['as values in the order of the columns', { instances: [['Free', 3, 'Bern', 41, '2020-02-29']] }],
    ['as values alone', ['Free', 3, 'Bern', 41, '2020-02-29']],
    ['as a list of values', [['Free', 3, 'Bern', 41, '2020-02-29']]],
    ['with numbers as texts', { instances: [{ ...row, seats: '3', age: ' 41 ' }] }],
    ['with signs beside numbers', { instances: [{ ...row, seats: '3 %' }] }],
    ['with spaces around texts', { instances: [{ ...row, plan: ' Free ' }] }],
    ['with a date as people write it', { instances: [{ ...row, since: '29.02.2020 17:30' }] }],
    ['with a date as others write it', { instances: [{ ...row, since: 'Feb 29, 2020' }] }],
  ])('%s', async (_, body) => {
    expect(values(await send(body))).toEqual([200, [numbers]]);
  });

  it.each<[string, object]>([
    ['left out', { plan: 'Free', seats: 3 }],
    ['null', { ...row, city: null, age: null, since: null }],
    ['as files have them', { ...row, city: 'n/a', age: '', since: '?' }],
  ])('may have gaps where training had some: %s', async (_, sent) => {
    expect(values(await send({ instances: [sent] }))).toEqual([200, [[1, 3, -1, -1, -1]]]);
  });

  it.each(['application/x-www-form-urlencoded', ''])('is JSON under the type that curl -d gives: %o', async (type) => {
    const init = { method: 'POST', body: new TextEncoder().encode(JSON.stringify({ instances: [row] })) };
    const headers = type === '' ? {} : { 'content-type': type };
    expect(values(await ask(worker, path, { ...init, headers }))).toEqual([200, [numbers]]);
  });
});

describe('a value far from those of training is answered with a warning that names its column', () => {
  const worker = workerOf({
    columns: columns.map((column) =>
      column.kind === 'numeric'
        ? { ...column, range: [1, 100] }
        : column.kind === 'date'
          ? { ...column, range: ['2019-01-31', '2024-12-31'] }
          : column,
    ),
  });
  const seats = 'column "seats": 4000 is far from the values of training, 1 to 100';

  it.each<[change: object, warnings: readonly string[] | undefined]>([
    [{ seats: 199, age: -98, since: '2013-03-05' }, undefined],
    [{ age: null, since: null }, undefined],
    [{ seats: 4000 }, [seats]],
    [{ seats: '4,000 %', since: '17.05.1999' }, [
      'column "seats": "4,000 %" is far from the values of training, 1 to 100',
      'column "since": "17.05.1999" is far from the values of training, 2019-01-31 to 2024-12-31',
    ]],
  ])('%j', async (change, warnings) => {
    const { status, body } = await ask(worker, path, jsonRequest({ instances: [row, { ...row, ...change }] }));
    const [first, second] = (body as { predictions: { warnings?: unknown }[] }).predictions;
    expect([status, first?.warnings, second?.warnings]).toEqual([200, undefined, warnings]);
  }); // oxfmt-ignore

  it('in CSV as the last column', async () => {
    const body = 'plan,seats\nFree,3\nFree,4000\n';
    const { text: answer } = await ask(worker, path, text('text/csv', body, { accept: 'text/csv' }));
    const cells = answer.split('\r\n').map((line) => line.replace(/^.*,(?="|w|$)/, ''));
    expect(cells).toEqual(['warnings', '', `"${seats.replace('4000', '"4000"').replaceAll('"', '""')}"`, '']);
  });
});

describe('rows as text', () => {
  const header = 'seats,plan,city,age,since';
  it.each<[string, string, unknown]>([
    ['CSV', `${header}\n3,Free,Bern,41,2020-02-29\n4,Pro,"Rome, GA",,\n`, [numbers, [2, 4, 2, -1, -1]]],
    ['CSV without a last line end', `${header}\r\n3,Free,Bern,41,2020-02-29`, [numbers]],
    ['CSV with an empty last cell', `${header}\n3,Free,Bern,41,`, [[1, 3, 0, 41, -1]]],
    ['CSV with spaces and quotes', ` seats ,"plan"\n\n 3 , "Free"\n`, [[1, 3, -1, -1, -1]]],
    ['CSV with a mark at the start', `\uFEFF${header}\n3,Free,Bern,41,2020-02-29`, [numbers]],
  ])('%s', async (_, body, expected) => {
    expect(values(await ask(worker, path, text('text/csv; charset=utf-8', body)))).toEqual([200, expected]);
  });

  it('of one column has a missing value in quotes, and nothing in an empty line', async () => {
    const one = workerOf({ shape: ['N', 1], columns: [{ kind: 'numeric', name: 'x', fill: 0 }] });
    const body = 'x\n1\n\n""\n2\r\n  \n3';
    const { body: answer } = await ask(one, path, text('text/csv', body));
    expect(answer).toEqual({ predictions: [1, -1, 2, 3].map((value) => ({ value })) });
  });

  it.each<[string, string, unknown]>([
    ['semicolons', 'seats;plan;city\n3;Free;Rome, GA\n', [[1, 3, 2, -1, -1]]],
    ['semicolons and decimal commas', 'seats;plan;age\n"1.003,5";Free;41,25\n', [[1, 1003.5, -1, 41.25, -1]]],
    ['semicolons and points', 'seats;plan;age\n1,003.5;Free;1.234\n', [[1, 1003.5, -1, 1.234, -1]]],
    ['commas, decimal commas in quotes', 'seats,plan\n"3,5",Free\n"1.234",Pro\n', [[1, 3.5, -1, -1, -1], [2, 1234, -1, -1, -1]]],
    ['commas, thousands in quotes', 'seats,plan\n"1,234",Free\n', [[1, 1234, -1, -1, -1]]],
    ['tabs, a mark at the start and long line ends', '\uFEFFseats\tplan\tage\r\n3\tFree\t\r\n4\t"Pro"\t 5 \r\n', [[1, 3, -1, -1, -1], [2, 4, -1, 5, -1]]],
    ['bars', 'plan|seats\nFree|3', [[1, 3, -1, -1, -1]]],
    ["Excel's line in front", 'sep=;\r\nseats;plan\r\n3;Free\r\n', [[1, 3, -1, -1, -1]]],
    ['a column that is not the model\'s, with more commas', 'plan;seats;a,b,c,d\nFree;3;,\n', [[1, 3, -1, -1, -1]]],
  ])('CSV with %s', async (_, body, expected) => {
    expect(values(await ask(worker, `${path}?unknown=ignore`, text('text/csv', body)))).toEqual([200, expected]);
  }); // oxfmt-ignore

  it.each(['application/jsonl', 'application/x-ndjson'])('JSON lines as %s', async (type) => {
    const body = `${JSON.stringify(row)}\r\n\n["Pro",4,null,null,null]`;
    expect(values(await ask(worker, path, text(type, body)))).toEqual([200, [numbers, [2, 4, -1, -1, -1]]]);
  });

  it.each<[string, string, number, string]>([
    ['text/csv', 'plan,plan\n1,2', 400, 'header: expected each column once, got "plan" twice'],
    ['text/csv', 'plan,seats\nFree', 400, 'line 2: expected 2 cells, got 1'],
    ['text/csv', 'plan,seats\n"Free\n,3', 400, 'line 2: expected a closing quote, got the end'],
    [
      'text/csv',
      'plan,seats\nFr"ee,3',
      400,
      'line 2: expected quotes around a whole cell (and doubled inside it), got one elsewhere',
    ],
    [
      'text/csv',
      'plan,seats\n"Free"x,3',
      400,
      'line 2: expected quotes around a whole cell (and doubled inside it), got one elsewhere',
    ],
    [
      'text/csv',
      'plan,seats\n"Fr\nee",3',
      422,
      'line 3, column "plan": expected one of "Enterprise", "Free", "Pro", got "Fr\\nee" (did you mean "Free"?)',
    ],
    [
      'text/csv',
      'plan;seats\nFree;1,234\nPro;2,500\n',
      422,
      'body: expected numbers that show whether commas separate thousands, got only numbers such as 1,234, which may be either',
    ],
    ['text/csv', 'sep=;\nplan;seats\nFree;x\n', 422, 'line 3, column "seats": expected a number, got "x"'],
    ['text/csv', 'plan,seats\n', 400, 'body: expected at least one row, got none'],
    ['text/csv', '', 400, 'body: expected at least one row, got none'],
    ['application/jsonl', '{"plan":\n', 400, 'line 1: expected JSON in UTF-8, got 8 bytes that are not'],
    [
      'application/jsonl',
      `${JSON.stringify(row)}\n7`,
      422,
      'line 2: expected an object by columns, or an array in their order, got 7',
    ],
    ['application/jsonl', '\n', 400, 'body: expected at least one row, got none'],
    ['text/plain', '', 415, 'content-type: expected application/json, text/csv or application/jsonl, got "text/plain"'],
  ])('%s %o is refused', async (type, sent, status, error) => {
    // oxfmt-ignore
    const reply = await ask(worker, path, text(type, sent));
    expect([reply.status, reply.body]).toEqual([status, { error }]);
  });
});

describe('what a row may not be', () => {
  const plan = 'column "plan": expected one of "Enterprise", "Free", "Pro"';
  const names = 'expected columns "plan", "seats", "city", "age", "since"';
  it.each<[string, object, string]>([
    ['an unknown category', { plan: 'Fre' }, `${plan}, got "Fre" (did you mean "Free"?)`],
    ['a category in other letters', { plan: 'pro' }, `${plan}, got "pro" (did you mean "Pro"?)`],
    ['a category like none', { plan: 'Platinum' }, `${plan}, got "Platinum"`],
    ['an index of a category', { plan: 1 }, `${plan}, got 1`],
    ['a long text', { plan: 'x'.repeat(99) }, `${plan}, got "${'x'.repeat(40)}…"`],
    [
      'an unknown category where some are missing',
      { city: 'Sao Paulo' },
      'column "city": expected one of "Bern", "São Paulo", "Rome, GA", got "Sao Paulo" (did you mean "São Paulo"?); unknown=fill counts it as missing',
    ],
    ['no number', { seats: 'many' }, 'column "seats": expected a number, got "many"'],
    ['a truth for a number', { seats: true }, 'column "seats": expected a number, got true'],
    ['a structure', { age: [41] }, 'column "age": expected a number, or null or "" for a gap, got an array of 1'],
    ['a number too large', { seats: 1e39 }, 'column "seats": expected a number that float32 holds, got 1e+39'],
    [
      'no date',
      { since: 'yesterday' },
      'column "since": expected a date such as 17/05/2024, got "yesterday"; unknown=fill counts it as missing',
    ],
    [
      'a gap where none was',
      { seats: null },
      'column "seats": expected a value (none was missing in training), got null',
    ],
    ['a gap in text', { plan: 'n/a' }, 'column "plan": expected a value (none was missing in training), got "n/a"'],
    [
      'several gaps, each of which is told',
      { plan: undefined, seats: ' NA ', city: null },
      'columns "plan", "seats": expected values (none was missing in training), got none',
    ],
    [
      'a member that it has from nobody',
      { plan: undefined },
      'column "plan": expected a value (none was missing in training), got nothing',
    ],
  ])('%s', async (_, change, error) => {
    // oxfmt-ignore
    const reply = await send({ instances: [row, { ...row, ...change }] });
    expect([reply.status, reply.body]).toEqual([422, { error: `instances[1], ${error}` }]);
  });

  it.each<[string, unknown, number, string]>([
    [
      'an unknown column',
      { ...row, plam: 1 },
      422,
      `row: ${names}, got "plam" (did you mean "plan"?); unknown=ignore leaves others out`,
    ],
    [
      'a member of every object',
      { ...row, constructor: 1 },
      422,
      `row: ${names}, got "constructor"; unknown=ignore leaves others out`,
    ],
    [
      'too few values',
      { instances: [['Free', 3]] },
      422,
      'instances[0]: expected 5 values, "plan", "seats", "city", "age", "since", got 2',
    ],
    [
      'no row',
      { instances: [3] },
      422,
      'instances[0]: expected an object by columns, or an array in their order, got 3',
    ],
    ['no rows', { instances: [] }, 400, 'instances: expected an array of at least one row, got an array of 0'],
    ['no object', null, 422, 'row: expected an object by columns, or an array in their order, got null'],
    [
      'parameters that are none',
      { instances: [row], parameters: 3 },
      400,
      'parameters: expected an object of at most 64 parameters, got 3',
    ],
    [
      'an unknown way',
      { instances: [row], parameters: { unknown: 'guess' } },
      400,
      'parameters.unknown: expected "refuse", "ignore" or "fill", got a string',
    ],
    ['too many', { instances: Array(257).fill(row) }, 413, 'body: expected at most 256 rows (MAX_BATCH), got 257'],
  ])('%s', async (_, body, status, error) => {
    // oxfmt-ignore
    const reply = await send(body);
    expect([reply.status, reply.body]).toEqual([status, { error }]);
  });

  it('is computed by no session', async () => {
    const silent = workerOf({ run: () => { throw new Error('asked'); } }); // oxfmt-ignore
    const { status } = await ask(silent, path, jsonRequest({ instances: [row, { ...row, plan: 'Fre' }] }));
    expect(status).toBe(422);
  });

  it('a batch of another size than the model takes', async () => {
    const reply = await ask(workerOf({ shape: [2, columns.length] }), path, jsonRequest(row));
    expect([reply.status, reply.body]).toEqual([400, { error: 'body: expected 2 rows, as the model takes, got 1' }]);
  });
});

describe('who prefers an answer', () => {
  const left = 'column "note" is unknown and left out';
  it.each<[string, object, object, unknown]>([
    ['ignores other columns', { note: 1 }, { unknown: 'ignore' }, { values: numbers, warnings: [left] }],
    ['fills, and ignores other columns', { note: 1 }, { unknown: 'fill' }, { values: numbers, warnings: [left] }],
    ['gets no warning for nothing', {}, { unknown: 'fill' }, { values: numbers }],
    [
      'fills unknown categories and values',
      { city: 'Paris', age: 'old' },
      { unknown: 'fill' },
      {
        values: [1, 3, -1, -1, 2020],
        warnings: [
          'column "city": "Paris" is an unknown category and counts as missing',
          'column "age": "old" is not a number and counts as missing',
        ],
      },
    ],
  ])('%s', async (_, change, parameters, expected) => {
    const instances = [{ ...row, ...change }, row];
    const { status, body } = await send({ instances, parameters });
    expect([status, body]).toEqual([200, { predictions: [expected, { values: numbers }] }]);
    const query = new URLSearchParams(parameters as Record<string, string>).toString();
    expect((await send({ instances }, `${path}?${query}`)).body).toEqual(body);
    // The card of this model sets it, and a request may override it.
    const own = workerOf(parameters);
    expect((await ask(own, path, jsonRequest({ instances }))).body).toEqual(body);
    const { status: refused } = await ask(own, `${path}?unknown=refuse`, jsonRequest({ instances }));
    expect(refused).toBe(Object.keys(change).length > 0 ? 422 : 200);
  });

  it.each([
    ['an unknown category where none was missing', { plan: 'Fre' }, 'fill'],
    ['a gap where none was missing', { seats: null }, 'fill'],
    ['a structure', { age: {} }, 'fill'],
    ['an unknown category', { city: 'Paris' }, 'ignore'],
  ])('is refused %s', async (_, change, unknown) => {
    const { status } = await send({ instances: [{ ...row, ...change }], parameters: { unknown } });
    expect(status).toBe(422);
  });
});

/** Makes a Worker with a model of one column that gives these answers. */
function answering(echo: Partial<Echo>, answers: readonly (readonly number[])[]) {
  const one: Column = { kind: 'numeric', name: 'x', fill: null };
  const run = (): Record<string, Tensor> => ({
    y: { dtype: 'float32', shape: [answers.length, answers[0]?.length ?? 0], data: Float32Array.from(answers.flat()) },
  });
  const worker = createWorker(imageOf({ name: 'churn', shape: ['N', 1], columns: [one], run, ...echo }));
  const body = { instances: answers.map((_, i) => ({ x: i })) };
  return (accept = 'application/json') =>
    ask(worker, path, { ...jsonRequest(body), headers: { 'content-type': 'application/json', accept } });
}

describe('an answer', () => {
  const labels = ['no', 'yes'];
  it.each<[string, Partial<Echo>, readonly number[], unknown, string]>([
    [
      'of logits',
      { kind: 'logits', labels },
      [0, Math.log(3)],
      { label: 'yes', probability: 0.75, probabilities: { no: 0.25, yes: 0.75 } },
      'label,probability,probability of no,probability of yes\r\nyes,0.75,0.25,0.75\r\n',
    ],
    [
      'of a lone logit',
      { kind: 'logits', labels },
      [0],
      { label: 'no', probability: 0.5, probabilities: { no: 0.5, yes: 0.5 } },
      'label,probability,probability of no,probability of yes\r\nno,0.5,0.5,0.5\r\n',
    ],
    [
      'of probabilities without names',
      { kind: 'probabilities' },
      [0.25, 0.5, 0.25],
      { label: '1', probability: 0.5, probabilities: { 0: 0.25, 1: 0.5, 2: 0.25 } },
      'label,probability,probability of 0,probability of 1,probability of 2\r\n1,0.5,0.25,0.5,0.25\r\n',
    ],
    [
      'of no number for classes',
      { kind: 'logits', labels },
      [NaN, 1],
      { label: null, probability: null, warnings: ['not a number'] },
      'label,probability,warnings\r\n,,not a number\r\n',
    ],
    ['of a number', { kind: 'number' }, [41.2], { value: 41.2 }, 'value\r\n41.2\r\n'],
    ['of numbers', { kind: 'number' }, [41.2, 7], { values: [41.2, 7] }, 'value 1,value 2\r\n41.2,7\r\n'],
    [
      'of no number',
      { kind: 'number' },
      [Infinity],
      { value: null, warnings: ['not a number'] },
      'value,warnings\r\n,not a number\r\n',
    ],
    [
      'of no number among numbers',
      { kind: 'number' },
      [1, NaN],
      { values: null, warnings: ['not a number'] },
      'value,warnings\r\n,not a number\r\n',
    ],
    [
      'of labels that do not exclude each other, called as members of every object are',
      { kind: 'multi-label', labels: ['__proto__', 'constructor', 'b'] },
      [0.75, 0.5, 0.25],
      {
        labels: ['__proto__', 'constructor'],
        probabilities: Object.fromEntries([
          ['__proto__', 0.75],
          ['constructor', 0.5],
          ['b', 0.25],
        ]),
      },
      'labels,probability of __proto__,probability of constructor,probability of b\r\n__proto__; constructor,0.75,0.5,0.25\r\n',
    ],
    [
      'of no labels',
      { kind: 'multi-label' },
      [0.25, 0.125],
      { labels: [], probabilities: { 0: 0.25, 1: 0.125 } },
      'labels,probability of 0,probability of 1\r\n,0.25,0.125\r\n',
    ],
    [
      'of no number for labels',
      { kind: 'multi-label', labels },
      [NaN, 1],
      { labels: null, warnings: ['not a number'] },
      'labels,warnings\r\n,not a number\r\n',
    ],
  ])('%s, as JSON and as CSV', async (_, echo, values, expected, csv) => {
    const ask = answering(echo, [values]);
    const json = await ask();
    expect([json.status, json.body]).toEqual([200, { predictions: [expected] }]);
    const table = await ask('text/csv, */*;q=0.1');
    expect([table.headers.get('content-type'), table.text]).toEqual(['text/csv; charset=utf-8', csv]);
  });

  it('as CSV leaves cells empty where a row has no answer, whatever the classes are called', async () => {
    const echo = { kind: 'probabilities', labels: ['__proto__', 'constructor'] } as const;
    const { text: table } = await answering(echo, [
      [NaN, 1],
      [0.25, 0.75],
    ])('text/csv');
    expect(table).toBe(
      'label,probability,probability of __proto__,probability of constructor,warnings\r\n,,,,not a number\r\nconstructor,0.75,0.25,0.75,\r\n',
    );
  });

  it.each([
    ['text/csv', 'text/csv'],
    ['TEXT/CSV; header=present, */*', 'text/csv'],
    ['text/csv, application/json;q=0.5', 'text/csv'],
    ['application/json; q=0.2, text/csv; q=0.3', 'text/csv'],
    ['text/csv, application/json', 'application/json'],
    ['text/csv;q=0', 'application/json'],
    ['text/csv;q=0.5, application/json', 'application/json'],
    ['text/csvs', 'application/json'],
    ['*/*', 'application/json'],
  ])('comes as the client would rather have it: %s', async (accept, type) => {
    const { headers } = await answering({ kind: 'number' }, [[1]])(accept);
    expect(headers.get('content-type')?.split(';')[0]).toBe(type);
  });

  it('is refused where nobody says what it is', async () => {
    const reply = await answering({}, [[1, 2]])();
    const way =
      'set "output": {"name": …, "kind": "logits", "probabilities", "class" or "number"} in models/churn/card.json';
    const error = `predict: expected a model that says what its output is, churn does not say it: ${way} and build again, or use infer`;
    expect([reply.status, reply.body]).toEqual([404, { error }]);
  });
});

describe('the paths', () => {
  const other = { name: 'digits', kind: 'logits' } as const;
  const two = createWorker(imageOf(model, other));

  it.each<[string, string, RequestInit, number, unknown]>([
    ['all models', '/v1/models', {}, 200, { models: ['churn', 'digits'] }],
    ['a model', '/v1/models/churn', {}, 200, { name: 'churn', ready: true }],
    ['a version', '/v1/models/churn/versions/1', {}, 200, { name: 'churn', ready: true }],
    ['another model', '/v1/models/chur', {}, 404, { error: 'model: expected churn or digits, got "chur"' }],
    ['another version', '/v1/models/churn/versions/2', {}, 404, { error: 'version of churn: expected 1, got "2"' }],
    [
      'another model to ask',
      '/v1/models/chur:predict',
      jsonRequest(row),
      404,
      { error: 'model: expected churn or digits, got "chur"' },
    ],
    ['another method', path, {}, 405, { error: 'method: expected POST, got GET' }],
    [
      'a model without columns',
      '/v1/models/digits:predict',
      jsonRequest(row),
      422,
      {
        error:
          'row: expected numbers, as the card names no columns of x, got an object: use /v2/models/digits/infer or /v2/models/digits/classify',
      },
    ],
  ])('%s', async (_, target, init, status, body) => {
    // oxfmt-ignore
    const reply = await ask(two, target, init);
    expect([reply.status, reply.body]).toEqual([status, body]);
  });

  it.each(['/v1/models/churn:predict', '/v1/models/churn%3Apredict', '/v1/models/churn/versions/1:predict'])(
    'answers rows at %s',
    async (target) => {
      expect(values(await ask(two, target, jsonRequest(row)))).toEqual([200, [numbers]]);
    },
  );
});

it('the metadata say what a row is', async () => {
  const { body } = await ask(worker, '/v2/models/churn');
  expect(body).toMatchObject({
    parameters: {
      columns: [
        { name: 'plan', kind: 'categorical', categories: ['Enterprise', 'Free', 'Pro'], required: true },
        { name: 'seats', kind: 'numeric', unit: '%', required: true },
        { name: 'city', kind: 'categorical', required: false, missing: 'category' },
        { name: 'age', kind: 'numeric', required: false, missing: 'median', fill: 40 },
        {
          name: 'since',
          kind: 'date',
          order: 'DMY',
          years: [2019, 2024],
          parts: ['year'],
          required: false,
          fill: 2021,
        },
      ],
    },
  });
});
