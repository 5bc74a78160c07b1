/**
 * Rows mean the same over HTTP as in training. Random tables of random columns go through the table reader, which
 * infers the columns, and their rows through the Worker in every format. The model receives the same numbers, to the
 * bit.
 */
import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Column, isMissing, isPlainNumber } from '../../../training/columns/index.ts';
import { fitFills, readTable } from '../../../training/data/index.ts';
import { describeColumns } from '../../../training/data/describe-columns.ts';
import { UserError } from '../../../training/files/index.ts';
import { createWorker, type Session } from '../../../worker/create-worker.ts';
import { ask, imageOf } from '../../worker/images.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-as-trained-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Kind = Column['kind'];

const two = (n: number): string => String(n).padStart(2, '0');
const numbers = fc.double({ min: -1e12, max: 1e12, noNaN: true });
const days = fc.tuple(
  fc.integer({ min: 1950, max: 2049 }),
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 28 }),
);
const times = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }));

/** Generates cells of each kind as people write them. */
const cells: { readonly [K in Kind]: fc.Arbitrary<string> } = {
  numeric: fc.oneof(
    numbers.map(String),
    fc.integer().map(String),
    fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
    numbers.map((value) => value.toFixed(2)),
    fc.integer({ min: 0, max: 10 ** 9 }).map((value) => `$${value.toLocaleString('en')}`),
    fc.integer({ min: 0, max: 100 }).map((value) => `${value} %`),
    fc.integer({ min: 1, max: 1000 }).map((value) => `(${value}.5)`),
    fc.integer({ min: 1, max: 1000 }).map((value) => `−${value}`),
  ),
  categorical: fc.constantFrom('Free', 'free', 'Rome, GA', 'a "quoted" one', 'São Paulo', 'two\nlines', '1', '10', 'yes', 'no', '2024-05-01'),
  date: fc.oneof(
    days.map(([y, m, d]) => `${y}-${two(m)}-${two(d)}`),
    days.map(([y, m, d]) => `${y}/${m}/${d}`),
    days.map(([y, , d]) => `${d} May ${y}`),
    days.map(([y, , d]) => `Oct ${d}, ${y}`),
    fc.tuple(days, times).map(([[y, m, d], [h, min]]) => `${y}-${two(m)}-${two(d)}T${two(h)}:${two(min)}:00Z`),
  ),
}; // oxfmt-ignore

const gaps = fc.constantFrom('', 'NA', '?', 'n/a', 'NaN', 'null', '#N/A');
const blanks = fc.constantFrom('', '', ' ');

const kinds = Object.keys(cells) as Kind[];
const names = fc.uniqueArray(fc.constantFrom('plan', 'seats', 'Größe, cm', 'constructor', 'a b', '"x"', '__proto__', '7'), {
  minLength: 1,
  maxLength: 5,
}); // oxfmt-ignore

const ROWS = 24;

/** Generates the name, kind and cells of each column. Blanks inside quotes belong to a cell, others do not. */
const tables = names.chain((all) =>
  fc.tuple(
    ...all.map((name) =>
      fc.constantFrom(...kinds).chain((kind) =>
        fc.record({
          name: fc.constant(name),
          kind: fc.constant(kind),
          cells: fc.array(
            fc
              .tuple(fc.oneof({ weight: 9, arbitrary: cells[kind] }, { weight: 1, arbitrary: gaps }), blanks)
              .map(([cell, blank]) => (/[",\n]/.test(cell) ? cell : `${cell}${blank}`)),
            { minLength: ROWS, maxLength: ROWS },
          ),
        }),
      ),
    ),
  ),
);

const quoted = (cell: string): string => (/[",;|\t\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const csvOf = (rows: readonly (readonly string[])[], delimiter = ',', lineEnd = '\n'): string =>
  rows.map((row) => row.map(quoted).join(delimiter)).join(lineEnd);

const bitsOf = (values: ArrayLike<number>): readonly number[] => [...new Uint32Array(Float32Array.from(values).buffer)];

let files = 0;

/** Reads a table as training does. @returns the columns, and the numbers of its rows */
async function learnt(
  table: readonly { readonly name: string; readonly kind: Kind; readonly cells: readonly string[] }[],
  { delimiter, decimal }: { readonly delimiter: ',' | ';'; readonly decimal?: '.' } = { delimiter: ',', decimal: '.' },
) {
  const rows = Array.from({ length: ROWS }, (_, i) => [...table.map(({ cells }) => cells[i] ?? ''), i % 3 === 0 ? 'a' : 'b']);
  const header = [...table.map(({ name }) => name), 'label'];
  const path = join(folder, `${files++}.csv`);
  await writeFile(path, csvOf([header, ...rows], delimiter));
  const given = new Map(table.map(({ name, kind }) => [name, kind]));
  const format = { delimiter, quote: '"', decimal, label: 'label', kinds: given } as const;
  const { columns, dataset } = await readTable(path, format);
  const filled = describeColumns(fitFills(columns, { own: new Map(), others: 'median' }, new Set(), dataset), dataset);
  return { columns: filled, inputs: dataset.inputs, header, rows };
} // oxfmt-ignore

it('is the same in every form of a row', { timeout: 120_000 }, async () => {
  let learntTables = 0;
  const runs = 150;
  await fc.assert(
    fc.asyncProperty(tables, async (table) => {
      const known = await learnt(table).catch((error: unknown) => {
        // Some generated columns cannot be trained on, such as columns of gaps alone.
        if (error instanceof UserError) return undefined;
        throw error;
      });
      if (!known) return;
      learntTables++;
      const { columns, inputs, header, rows } = known;
      const fed: ArrayLike<number>[] = [];
      const run: Session['run'] = ({ x }) => {
        fed.push(x?.data as ArrayLike<number>);
        return { y: { dtype: 'float32', shape: [ROWS, 1], data: new Float32Array(ROWS) } };
      };
      const shape = ['N', inputs.length / ROWS];
      const worker = createWorker(imageOf({ name: 'm', kind: 'number', shape, columns, run }));
      const objects = rows.map((row) => Object.fromEntries(columns.map(({ name }) => [name, row[header.indexOf(name)]])));
      const typed = objects.map((row) =>
        Object.fromEntries(
          columns.flatMap(({ name, kind }, i): [string, unknown][] => {
            const cell = row[name]?.trim() ?? '';
            if (isMissing(cell)) return i % 2 === 0 ? [] : [[name, null]];
            // JSON.stringify writes -0 as 0.
            const isNumber = kind === 'numeric' && isPlainNumber(cell) && !Object.is(Number(cell), -0);
            return [[name, isNumber ? Number(cell) : cell]];
          }),
        ),
      );
      const bodies: [type: string, body: string][] = [
        ['text/csv', csvOf([header, ...rows])],
        ['text/csv', csvOf([header, ...rows], ';', '\r\n')],
        ['text/csv', `\uFEFF${csvOf([header, ...rows], '\t')}\n`],
        ['text/csv', `sep=|\n${csvOf([header, ...rows], '|')}`],
        ['application/json', JSON.stringify({ instances: objects })],
        ['application/json', JSON.stringify({ instances: typed })],
        ['application/json', JSON.stringify(objects.map((row) => columns.map(({ name }) => row[name])))],
        ['application/jsonl', typed.map((row) => JSON.stringify(row)).join('\n')],
      ];
      for (const [type, body] of bodies) {
        const headers = { 'content-type': type };
        const { status, text } = await ask(worker, '/v1/models/m:predict?unknown=ignore', { method: 'POST', body, headers });
        expect(status, text).toBe(200);
      }
      expect(fed).toHaveLength(bodies.length);
      for (const values of fed) expect(bitsOf(values)).toEqual(bitsOf(inputs));
    }),
    { numRuns: runs },
  );
  expect(learntTables).toBeGreaterThan(runs / 2);
}); // oxfmt-ignore

/**
 * Generate numbers with a decimal comma, with and without thousands separators, and with a decimal point. The numbers
 * of a table are of one kind, or nothing shows which kind they are.
 */
const european = fc
  .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 9999 }))
  .map(([whole, fraction]) => `${whole},${fraction}`);
const grouped = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 100, max: 999 }))
  .map(([thousands, rest]) => `${thousands}.${rest}`);
const either = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 100, max: 999 }))
  .map(([thousands, rest]) => `${thousands},${rest}`);
const plain = fc.float({ min: Math.fround(-1e30), max: Math.fround(1e30), noNaN: true }).map(String);

it('is the same with commas before fractions, or it is refused', { timeout: 120_000 }, async () => {
  let [answered, refused] = [0, 0];
  const numbers = fc.constantFrom([european, grouped], [european], [either], [plain], [either, plain]).chain((kinds) => fc.array(fc.oneof(...kinds), { minLength: ROWS, maxLength: ROWS }));
  await fc.assert(
    fc.asyncProperty(numbers, async (cells) => {
      const table = [{ name: 'x', kind: 'numeric', cells }] as const;
      const { columns, inputs, header, rows } = await learnt(table, { delimiter: ';' });
      let fed: ArrayLike<number> = [];
      const run: Session['run'] = ({ x }) => {
        fed = x?.data as ArrayLike<number>;
        return { y: { dtype: 'float32', shape: [ROWS, 1], data: new Float32Array(ROWS) } };
      };
      const worker = createWorker(imageOf({ name: 'm', kind: 'number', shape: ['N', 1], columns, run }));
      const init = { method: 'POST', body: csvOf([header, ...rows], ';'), headers: { 'content-type': 'text/csv' } };
      const { status, text } = await ask(worker, '/v1/models/m:predict?unknown=ignore', init);
      if (status === 200) {
        answered++;
        expect(bitsOf(fed)).toEqual(bitsOf(inputs));
      } else {
        refused++;
        expect([status, text]).toEqual([422, expect.stringMatching(/^\{"error":"body: expected numbers that show whether commas/)]);
        expect(cells.every((cell) => /^\d+,\d{3}$/.test(cell))).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
  expect(answered).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(0);
}); // oxfmt-ignore
