/** A model is judged by the right samples, and samples that it cannot know are left out or refused. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KnownModel, chooseSamples } from '../../../training/run/samples.ts';
import type { Column, DataSource } from '../../../training/data/index.ts';
import { npy } from '../data/npy-file.ts';

const columns: readonly Column[] = [{ kind: 'numeric', name: 'a', fill: null }];
const rows = Array.from({ length: 20 }, (_, i) => `${i},${i % 2 === 0 ? 'x' : 'y'}`);

let folder: string;
let own: DataSource;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-'));
  own = { path: join(folder, 'own.csv'), label: 'b' };
  for (const name of ['own', 'moved']) await writeFile(join(folder, `${name}.csv`), ['a,b', ...rows, ''].join('\n'));
  await writeFile(join(folder, 'more.csv'), ['a,b', '7,y', '8,y', '9,z', ''].join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Returns a model as a run on `own.csv` leaves it, with the members that matter here. */
const trained = (): KnownModel =>
  ({
    columns,
    classes: ['x', 'y'],
    record: { data: { name: 'own', source: own, train: 16, validation: 2, test: 2 }, config: { seed: 1 } },
  }) as unknown as KnownModel;

const at = (name: string): DataSource => ({ path: join(folder, name) });

describe('a model is judged by', () => {
  it.each<[string, () => DataSource | undefined, Parameters<typeof chooseSamples>[2], object]>([
    ['the test part of its own data', () => undefined, undefined, { part: 'test', samples: { count: 2 } }],
    ['the part that is asked for', () => undefined, 'validation', { part: 'validation', samples: { count: 2 } }],
    ['all of its own data, when asked for', () => undefined, 'all', { part: 'all', samples: { count: 20 } }],
    [
      'the same part where its data have moved',
      () => at('moved.csv'),
      undefined,
      { part: 'test', samples: { count: 2 } },
    ],
    [
      'all of other data, with its own numbers for the classes',
      () => at('more.csv'),
      undefined,
      {
        part: 'all',
        samples: { count: 2, labels: Int32Array.of(1, 1), inputs: Float32Array.of(7, 8) },
        unknown: [{ column: 'b', value: 'z', rows: 1 }],
      },
    ],
  ])('%s', async (_, source, part, expected) => {
    expect(await chooseSamples(trained(), source(), part)).toMatchObject(expected);
  });

  it('all samples of arrays, without those of classes that it does not have', async () => {
    await writeFile(join(folder, 'x.npy'), npy(`'<f4'`, '(3, 1)', Float32Array.of(1, 2, 3)));
    await writeFile(join(folder, 'y.npy'), npy(`'<i4'`, '(3,)', Int32Array.of(7, 5, 6)));
    const source = { path: join(folder, 'x.npy'), label: join(folder, 'y.npy') };
    expect(await chooseSamples({ classes: ['5', '6'] }, source, undefined)).toMatchObject({
      part: 'all',
      samples: { classes: ['5', '6'], labels: Int32Array.of(1, 0), inputs: Float32Array.of(3, 2) },
      unknown: [{ column: 'class', value: '7', rows: 1 }],
    });
  });
});

it('a model that does not know its own data needs some', async () => {
  await expect(chooseSamples({}, undefined, undefined)).rejects.toThrow(
    'evaluate: expected --data, since the model does not record its training data, got none',
  );
});
