/** Tables that a default could trip over, each from its rows to the answers of the exported file for rows that training has not seen. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel } from '../../exporter/model/export.ts';
import { nativeBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/model.ts';
import { createRandom } from '../../training/data/index.ts';
import { evaluate, trainToFolder } from '../../training/run/index.ts';

const backend = await nativeBackend({ threads: 1 });
const settings = { optimizer: 'adam', learningRate: 0.002, schedule: 'cosine', bnMomentum: 0.9, seed: 1 } as const;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bn-edge-odd-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Odd {
  readonly rows: number;
  /** The cells of a row, by column. */
  readonly row: (i: number, random: () => number) => Readonly<Record<string, string | number>>;
  /** The label of a row, whose number `x` is between 0 and 1. */
  readonly label?: (x: number, i: number) => string | number;
  /** What a new file has in place of the cells of training. */
  readonly later?: Readonly<Record<string, string>>;
  readonly missing?: string;
}

const many = (count: number, cell: (column: number) => number): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from({ length: count }, (_, column) => [`c${column}`, cell(column)]));

const tables: Readonly<Record<string, Odd>> = {
  'of constants beside a number': { rows: 200, row: () => ({ same: 7, word: 'one' }) },
  'of two values in a column': { rows: 200, row: (i) => ({ bit: i % 2, far: i % 3 === 0 ? -5 : 1e6 }) },
  'of one value in nearly all rows': { rows: 300, row: (i) => ({ mostly: i % 50 === 0 ? i : 0 }) },
  'of 3,000 categories': {
    rows: 6200,
    row: (i, random) => ({ town: `town ${i < 3100 ? Math.floor(300 * random()) : i % 3000}` }),
  },
  'of 2,000 columns': { rows: 120, row: (_, random) => many(2000, () => Number(random().toFixed(3))) },
  'of classes with one row': {
    rows: 200,
    row: () => ({}),
    label: (x, i) => (i === 5 ? 'rare' : i === 9 ? 'rarer' : String(x > 0.5)),
  },
  'of columns that a new file lacks': {
    rows: 300,
    row: (i) => ({ gappy: i % 7 === 0 ? '' : i % 11, town: i % 5 === 0 ? '' : (['Ulm', 'Bern'][i % 2] ?? '') }),
    later: { gappy: '', town: '' },
  },
  'of columns without gaps that may have some later': {
    rows: 200,
    row: (i) => ({ whole: i % 11 }),
    later: { whole: '', x: '' },
    missing: 'median',
  },
};

async function writeTable(path: string, odd: Odd, later: Odd['later'] = {}): Promise<void> {
  const random = createRandom(3);
  const lines = Array.from({ length: odd.rows }, (_, i) => {
    const x = Number(random.uniform().toFixed(4));
    const cells = { ...odd.row(i, () => random.uniform()), x, ...later };
    return { ...cells, label: (odd.label ?? ((value) => (value > 0.5 ? 'high' : 'low')))(x, i) };
  });
  const names = Object.keys(lines[0] ?? {});
  const text = lines.map((line) => Object.values(line).join(','));
  await writeFile(path, `${[names.join(','), ...text].join('\n')}\n`);
}

describe.each(Object.entries(tables))('a table %s', (name, odd) => {
  it('is trained by default, exported, and answered as the training graph answers', { timeout: 60_000 }, async () => {
    const at = (file: string) => join(folder, `${name.replaceAll(/\W+/g, '-')}${file}`);
    await writeTable(at('.csv'), odd);
    const { checkpoint, test } = await trainToFolder({
      data: { path: at('.csv'), label: 'label', ...(odd.missing !== undefined && { imputeOthers: odd.missing }) },
      config: { ...settings, steps: 60 },
      backend: 'native',
      threads: 1,
      out: at('-run'),
    });
    expect(test.nonFinite).toBe(0);
    const options = { checkpoint, name: 'odd', models: at('-models'), statistics: 'running' } as const;
    await exportModel(options, backend);
    await writeTable(at('-new.csv'), odd, odd.later);
    const { answers, samples } = await evaluate({
      checkpoint,
      data: { path: at('-new.csv'), label: 'label' },
      part: 'all',
    });
    expect(samples.count).toBe(odd.rows);
    const session = await InferenceSession.create(join(at('-models'), 'odd', 'model.onnx'));
    const [width = 0] = samples.inputShape;
    const features = new Tensor('float32', samples.inputs as Float32Array, [samples.count, width]);
    const { logits } = await session.run({ features });
    const got = logits?.data as Float32Array;
    expect(got).toHaveLength(answers.length);
    // A checkpoint's answers to new rows are read as the exported file's: by the temperature of the run's own validation part.
    const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - (answers[i] ?? NaN))), 0);
    expect(worst).toBeLessThan(1e-4);
    const { plan } = await loadModel(checkpoint);
    expect(plan.network.layers.map(({ kind }) => kind)).toContain('members');
    expect(plan.network.categories?.includes(3000) ?? false).toBe(name.includes('3,000'));
  });
});
