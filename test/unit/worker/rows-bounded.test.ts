/** Bodies of the largest size that hold almost nothing take bounded time. */
import { describe, expect, it } from 'vitest';
import type { Column } from '../../../training/columns/index.ts';
import { createWorker } from '../../../worker/create-worker.ts';
import { ask, imageOf } from '../../worker/images.ts';

const columns: readonly Column[] = [
  { kind: 'numeric', name: 'seats', fill: null },
  { kind: 'categorical', name: 'plan', categories: ['Free', 'Pro'], fill: 0, missing: 'most-frequent' },
];
const worker = createWorker(imageOf({ name: 'churn', kind: 'number', shape: ['N', 2], columns }));

const LARGEST = 8 * 2 ** 20;
const filled = (piece: string, before = '', after = ''): string =>
  before + piece.repeat(Math.floor((LARGEST - before.length - after.length) / piece.length)) + after;
const names = (count: number): string => Array.from({ length: count }, (_, i) => `c${i}`).join(',');

/**
 * The limit in seconds of CPU time, several times the need of an idle machine. Work quadratic in the bytes would take
 * hours.
 */
const MAX = 4;

describe('a large body of nearly nothing is answered soon', () => {
  it.each<[what: string, type: string, body: string, status: number, error: string | undefined]>([
    ['empty lines', 'text/csv', filled('\n', 'seats\n', '3\n'), 200, undefined],
    ['lines of a blank', 'text/csv', filled(' \n', 'seats\n', '3\n'), 200, undefined],
    ['line ends of before OS X', 'text/csv', filled('\r'), 400, 'body: expected at least one row, got none'],
    ['quotes', 'text/csv', filled('"'), 400, 'body: expected at least one row, got none'],
    ['quoted gaps', 'text/csv', filled('"",', 'seats\n'), 413, 'line 2: expected at most 100000 cells, got more'],
    ['names', 'text/csv', names(900_000), 400, 'body: expected at least one row, got none'],
    [
      'names that are no columns',
      'text/csv',
      `seats,${names(90_000)}\n3${','.repeat(90_000)}\n`,
      422,
      'line 2: expected columns "seats", "plan", got "c0"; unknown=ignore leaves others out',
    ],
    [
      'short rows',
      'text/csv',
      filled(',\n', 'seats,plan\n'),
      413,
      'body: expected at most 256 rows (MAX_BATCH), got more',
    ],
    ['lines', 'application/jsonl', filled('\n', '', '{"seats": 3}\n'), 200, undefined],
    ['rows', 'application/jsonl', filled('0\n'), 413, 'body: expected at most 256 rows (MAX_BATCH), got more'],
    [
      'numbers',
      'application/json',
      filled('0,', '{"instances":[', '0]}'),
      413,
      'body: expected at most 256 rows (MAX_BATCH), got 4194296',
    ],
    [
      'arrays',
      'application/json',
      filled('[],', '[', '[]]'),
      413,
      'body: expected at most 256 rows (MAX_BATCH), got 2796202',
    ],
    [
      'digits',
      'application/json',
      filled('9', '{"seats":"', '"}'),
      422,
      `row, column "seats": expected a number that float32 holds, got "${'9'.repeat(40)}…"`,
    ],
  ])('%s, as %s', async (_, type, body, status, error) => {
    const before = process.cpuUsage();
    const init = { method: 'POST', body, headers: { 'content-type': type } };
    const answer = await ask(worker, '/v1/models/churn:predict', init);
    const { user, system } = process.cpuUsage(before);
    const said = (answer.body as { error?: string }).error;
    expect([answer.status, said]).toEqual([status, error]);
    expect((user + system) / 1e6).toBeLessThan(MAX);
  });
});

it('names of other columns are told with each row, however many there are', async () => {
  const others = ',1'.repeat(12);
  const body = `seats,plan,${names(12)}\n3,Free${others}\n4,Pro${others}\n`;
  const init = { method: 'POST', body, headers: { 'content-type': 'text/csv' } };
  const { body: answer } = await ask(worker, '/v1/models/churn:predict?unknown=ignore', init);
  const left = Array.from({ length: 10 }, (_, i) => `column "c${i}" is unknown and left out`);
  const warnings = [...left, 'and 2 columns more'];
  expect(answer).toMatchObject({ predictions: [{ warnings }, { warnings }] });
});
