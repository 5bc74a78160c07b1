/** Numbers that become the same in float32 are named before anything is learnt from them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, encodeNpz, loadData, readNpzArrays } from '../../../training/data/index.ts';
import { FloatPrecision } from '../../../training/data/float-precision.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

const random = createRandom(1);

/** Numbers that float32 holds apart, and not exactly. */
const lonely = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => 2 ** 30 + 1000 * i + 1);

describe('float32', () => {
  it.each<[string, readonly number[], readonly [number, number] | undefined]>([
    ['tells small numbers apart', [1, 1.5, 2 ** 24], undefined],
    ['tells populations of countries apart', [1_412_000_000, 1_408_000_000, 331_000_000], undefined],
    ['tells large random numbers apart', Array.from({ length: 5000 }, () => 1e21 * random.normal()), undefined],
    [
      'does not tell milliseconds apart',
      [1_700_000_000_000, 1_700_000_000_030],
      [1_700_000_000_000, 1_700_000_000_030],
    ],
    ['loses one in a hundred, which is few', [...lonely(198), 900_000_000_001, 900_000_000_002], undefined],
    ['loses exactly one in a hundred', [...lonely(98), 900_000_000_001, 900_000_000_002], undefined],
    [
      'loses one in less than a hundred',
      [...lonely(97), 900_000_000_001, 900_000_000_002],
      [900_000_000_001, 900_000_000_002],
    ],
    [
      'loses more than one in a hundred',
      [...lonely(97), 900_000_000_001, 900_000_000_002, 900_000_000_003],
      [900_000_000_001, 900_000_000_002],
    ],
    ['takes a number that repeats for one', [9e11 + 1, 9e11 + 1, 9e11 + 2], [9e11 + 1, 9e11 + 2]],
    ['does not tell long identifiers apart', [900_000_000_001, 900_000_000_002], [900_000_000_001, 900_000_000_002]],
  ])('%s', (_, values, expected) => {
    const precision = new FloatPrecision();
    for (const value of [...values, ...values]) precision.add(value);
    expect(precision.collapsed).toEqual(expected);
  });
});

it('columns of a table and of an array are named', async () => {
  const times = Array.from({ length: 40 }, (_, i) => 1_700_000_000_000 + 30 * i);
  const expected = (name: string) =>
    `${name}: float32 cannot hold its numbers apart: 1700000000000 and 1700000000030 become the same; subtract what they have in common, or leave it out with --ignore`;
  const table = join(folder, 'times.csv');
  await writeFile(
    table,
    `at,b,label\n${times.map((time, i) => `${time},${(i * 7) % 5},${i % 2 ? 'x' : 'y'}`).join('\n')}\n`,
  );
  expect((await loadData(table, { label: 'label', seed: 1 })).notes).toContain(expected('column "at"'));

  const array = join(folder, 'times.npz');
  const x = { shape: [40, 2], data: Float64Array.from(times.flatMap((time, i) => [i, time])) };
  const y = { shape: [40], data: Uint8Array.from(times.map((_, i) => i % 2)) };
  await writeFile(array, encodeNpz({ x, y }));
  expect((await loadData(array, { seed: 1 })).notes).toContain(expected('feature 1'));
});

it('columns of pictures are not, and those without loss neither', async () => {
  const path = join(folder, 'pictures.npz');
  const pixels = Float64Array.from({ length: 2 * 1 * 2 * 2 }, (_, i) => 1_700_000_000_000 + i);
  const y = { shape: [2], data: Uint8Array.of(0, 1) };
  await writeFile(path, encodeNpz({ x: { shape: [2, 1, 2, 2], data: pixels }, y }));
  expect((await readNpzArrays(path, {})).notes.join()).not.toContain('float32 cannot hold');
  const rows = Float64Array.from([0, 1e12, 1, 1e12 + 1, 2, 1e12 + 2, 3, 1e12 + 3]);
  const labels = { shape: [4], data: Uint8Array.of(0, 1, 0, 1) };
  await writeFile(path, encodeNpz({ x: { shape: [4, 2], data: rows }, y: labels }));
  const notes = (await readNpzArrays(path, {})).notes.filter((note) => note.includes('float32'));
  expect(notes).toEqual([expect.stringMatching(/^feature 1: /)]);
  const many = Float64Array.from({ length: 2 * 12 }, (_, i) => 1e12 + i);
  await writeFile(path, encodeNpz({ x: { shape: [2, 12], data: many }, y }));
  expect((await readNpzArrays(path, {})).notes.filter((note) => note.includes('float32'))).toHaveLength(10);
});
