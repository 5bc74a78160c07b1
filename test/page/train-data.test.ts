/** The training page trains on data other than points of a plane: the user's own table, and digits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { unzipSync } from 'fflate';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { wasmBackend } from '../../training/backend/index.ts';
import { loadData } from '../../training/data/index.ts';
import { networks } from '../../training/network/index.ts';
import { trainToFolder } from '../../training/run/index.ts';
import { digitsOf } from '../../worker/page/train/engine/digits/digits.ts';
import { networkOf } from '../../worker/page/train/engine/networks.ts';
import { readOwn, sourceOf, subjectOf } from '../../worker/page/train/engine/own/own-table.ts';
import { type Settings, sides, defaultSettings } from '../../worker/page/train/engine/settings.ts';
import { toHash } from '../../worker/page/train/share.ts';
import { executablePath, overflow, violations } from './browser.ts';
import {
  emptyFolder,
  expectedLosses,
  facts,
  losses,
  looks,
  progress,
  saved,
  stepOf,
  train,
  useTraining,
} from './training.ts';

describe.skipIf(executablePath === undefined)('the training page, in Chromium', () => {
  const training = useTraining();
  const openTraining = training.open;

  const penguins = 'test/fixtures/penguins.csv';
  const asCsv = (content: string) => ({ name: 'own.csv', mimeType: 'text/csv', buffer: Buffer.from(content) });
  const ownFacts = (page: Page) => page.locator('#own-facts');

  it('trains with a table that is chosen, with the losses of --backend wasm on what the command reads of it', async () => {
    const { page, complaints } = await openTraining({ seed: 3 });
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => ownFacts(page).innerText()).toContain('penguins.csv: 276 rows to train with, 34 held back');
    expect(await page.locator('#own-label').inputValue()).toBe('species');
    await train(page, 60);
    const settings: Settings = { ...defaultSettings, seed: 3, data: 'own', label: 'species' };
    const loaded = await loadData(penguins, { label: 'species', seed: 3 });
    const own = await readOwn(sourceOf(new File([readFileSync(penguins)], 'penguins.csv')), 'species');
    const subject = subjectOf(own, 3);
    expect(subject.train).toEqual(loaded.train);
    const taken = await losses(page);
    const backend = { ...(await wasmBackend()), stepper: 'compiled' } as const;
    for (const side of sides) {
      const expected = await expectedLosses(settings, side, 60, backend, subject);
      expect(
        taken.slice(0, 60).map((each) => each[side]),
        side,
      ).toEqual(Array.from(expected));
    }
    // The link does not carry the table, and a note says so.
    expect(new URL(page.url()).hash).toBe(toHash(settings));
    await page.getByRole('button', { name: 'Copy link' }).click();
    await expect.poll(() => page.locator('#shared').innerText()).toContain('without your file: it stays here');
    expect(await page.locator('#go-on').innerText()).toBe(
      'bn-edge train penguins.csv --label species --from with-batch-norm.safetensors',
    );
    expect(complaints).toEqual([]);
  });

  it('shows a row that was held back and what both networks answer to it, which is right in the end', async () => {
    const { page } = await openTraining();
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => page.locator('#held-name').innerText()).toMatch(/^line \d+: (Adelie|Chinstrap|Gentoo)$/);
    const before = await page.locator('#held-name').innerText();
    await page.getByRole('slider', { name: 'No.' }).press('End');
    await expect.poll(() => page.locator('#held-name').innerText()).not.toBe(before);
    const [, line = '', label = ''] = /^line (\d+): (.+)$/.exec(await page.locator('#held-name').innerText()) ?? [];
    const [header = '', ...rows] = readFileSync(penguins, 'utf8').split('\n');
    const cells = (rows[Number(line) - 2] ?? '').split(',');
    expect(cells[0]).toBe(label);
    const shown = await page.locator('#held-cells dt, #held-cells dd').allInnerTexts();
    header.split(',').forEach((name, i) => {
      if (i > 0) expect(shown[shown.indexOf(name) + 1]).toBe(cells[i] === 'NA' ? 'missing' : cells[i]);
    });
    await train(page, 300);
    await expect
      .poll(() => page.locator('[data-side=with] .guesses .right').innerText())
      .toMatch(new RegExp(`^${label} ✓\\s+> 9|^${label} ✓\\s+[89]\\d`));
    expect(await page.locator('[data-side=with] canvas').isVisible()).toBe(false);
  });

  it('says what is wrong with a table in the words of the command, and lets another column be chosen', async () => {
    const { page } = await openTraining();
    const row = (i: number) => `${i % 9},${i % 2 === 0 ? 'a' : 'b'},${i / 3}\n`;
    const content = `x,kind,price\n${Array.from({ length: 60 }, (_, i) => row(i)).join('')}`;
    await page.locator('#own-file').setInputFiles(asCsv(content));
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.innerText()).toContain('own.csv: column "price": expected classes');
    await page.locator('#own-label').selectOption('kind');
    await expect.poll(() => ownFacts(page).innerText()).toContain('own.csv: 48 rows to train with');
    expect(await alert.isVisible()).toBe(false);
    await page.locator('#own-file').setInputFiles(asCsv('x,y\n1,a\n2\n'));
    await expect
      .poll(() => alert.innerText())
      .toBe(
        'own.csv: line 3: expected 2 cells, got 1; with bn-edge train, --delimiter, --skip-rows and --comment say how it is to be read',
      );
    await page.locator('#own-file').setInputFiles({ ...asCsv('a'), name: 'own.xlsx' });
    await expect.poll(() => alert.innerText()).toContain('own.xlsx: expected a .csv, .tsv, .tab, .txt or .data file');
  });

  it('keeps to the table that it has where another is refused', async () => {
    const { page } = await openTraining();
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => ownFacts(page).innerText()).toContain('penguins.csv: 276 rows');
    const alert = page.getByRole('alert');
    await page.locator('#own-file').setInputFiles(asCsv(''));
    await expect.poll(() => alert.innerText()).toBe('own.csv: expected a row of names and rows of data, got none');
    expect(await ownFacts(page).innerText()).toBe('own.csv is not trained with.');
    await page.locator('#seed').fill('9');
    await page.locator('#seed').press('Enter');
    await expect.poll(() => ownFacts(page).innerText()).toContain('penguins.csv: 276 rows');
    expect(await page.locator('#own-label').inputValue()).toBe('species');
    await page.locator('#own-label').selectOption('island');
    await expect.poll(() => new URL(page.url()).hash).toContain('label=island');
    await expect.poll(() => ownFacts(page).innerText()).toContain('penguins.csv: 276 rows');
  });

  /** Chooses tables and then another kind of data, without waiting in between. */
  const chooseAtOnce = (page: Page, contents: readonly string[], data?: string) =>
    page.evaluate(`{
      const input = document.querySelector('#own-file');
      for (const [i, content] of ${JSON.stringify(contents)}.entries()) {
        const transfer = new DataTransfer();
        transfer.items.add(new File([content], 'table-' + (i + 1) + '.csv'));
        input.files = transfer.files;
        input.dispatchEvent(new Event('change'));
      }
      const data = document.querySelector('#data');
      const next = ${JSON.stringify(data ?? '')};
      if (next !== '') {
        data.value = next;
        data.dispatchEvent(new Event('change'));
      }
    }`);

  it('trains with data that are chosen while a table is read, not with the table', async () => {
    const { page } = await openTraining();
    await chooseAtOnce(page, [readFileSync(penguins, 'utf8')], 'circles');
    await expect.poll(() => progress(page)).toContain('step 0');
    expect(new URL(page.url()).hash).toContain('data=circles');
    expect(await page.locator('[data-side=with] canvas').isVisible()).toBe(true);
    expect(await page.locator('#own-label').isVisible()).toBe(false);
  });

  it('reads the table that it trains with again, although another was chosen in the meantime and refused', async () => {
    const { page } = await openTraining();
    await chooseAtOnce(page, [readFileSync(penguins, 'utf8'), '']);
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('table-2.csv: expected a row of names');
    await expect.poll(() => ownFacts(page).innerText()).toContain('table-1.csv: 276 rows');
    await page.locator('#own-label').selectOption('island');
    await expect.poll(() => new URL(page.url()).hash).toContain('label=island');
    await expect.poll(() => ownFacts(page).innerText()).toContain('table-1.csv: 276 rows');
  });

  it('names the command that goes on with names that a shell takes as they are', async () => {
    const { page } = await openTraining();
    const content = `x,it's $a\n${Array.from({ length: 60 }, (_, i) => `${i},${i % 2 === 0 ? 'a' : 'b'}\n`).join('')}`;
    await page.locator('#own-file').setInputFiles({ ...asCsv(content), name: '-my own.csv' });
    await expect.poll(() => ownFacts(page).innerText()).toContain('48 rows');
    await page.getByRole('combobox', { name: 'The network' }).selectOption('without');
    expect(await page.locator('#go-on').innerText()).toBe(
      String.raw`bn-edge train ./'-my own.csv' --label 'it'\''s $a' --from without-batch-norm.safetensors`,
    );
  });

  it('takes a table that is dropped upon the page', async () => {
    const { page } = await openTraining();
    const transfer = await page.evaluateHandle(`(() => {
      const all = new DataTransfer();
      const rows = Array.from({ length: 80 }, (_, i) => [i % 7, i % 5, i % 7 > 3 ? 'high' : 'low'].join());
      all.items.add(new File([['a,b,class', ...rows, ''].join('\\n')], 'dropped.csv', { type: 'text/csv' }));
      return all;
    })()`);
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    await expect.poll(() => ownFacts(page).innerText()).toContain('dropped.csv: 64 rows');
    await train(page, 200);
    expect(await facts(page, 'with').innerText()).toMatch(/right 100\.0 %/);
  });

  it('asks for the table of a link, and takes the column that the link says', async () => {
    const settings: Settings = { ...defaultSettings, data: 'own', label: 'island', depth: 2 };
    const { page } = await training.openAt(toHash(settings));
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('to predict its column “island”: drop one');
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => page.locator('#own-label').inputValue()).toBe('island');
    await expect.poll(() => progress(page)).toContain('step 0');
    expect(new URL(page.url()).hash).toBe(toHash(settings));
  });

  it('exports what was trained on a table, by whose card the Worker reads rows; bn-edge train goes on with it', async () => {
    const { page } = await openTraining();
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => ownFacts(page).innerText()).toContain('276 rows');
    await train(page, 200);
    const archive = await saved(page, 'Model (ONNX and card)');
    const files = unzipSync(readFileSync(archive.path));
    const card = JSON.parse(new TextDecoder().decode(files['with-batch-norm/card.json'])) as {
      readonly labels: readonly string[];
      readonly inputs: readonly { readonly columns: readonly { readonly name: string }[] }[];
    };
    expect(card.labels).toEqual(['Adelie', 'Chinstrap', 'Gentoo']);
    const { columns } = await loadData(penguins, { label: 'species', seed: 1 });
    expect(card.inputs[0]?.columns).toEqual(JSON.parse(JSON.stringify(columns)));
    const checkpoint = await saved(page, 'Checkpoint');
    const folder = await emptyFolder();
    const rate = { optimizer: 'sgd', learningRate: 1e-6, schedule: 'constant' } as const;
    const config = { ...rate, bnMomentum: 0.9, seed: 1, epochs: 1, batchSize: 32 };
    const options = { data: { path: penguins, label: 'species' }, config, backend: 'wasm' } as const;
    const { history } = await trainToFolder({ ...options, from: checkpoint.path, out: join(folder, 'run') });
    expect(history.at(-1)?.validation.score).toBeGreaterThan(0.9);
  });

  it('trains mnist-mlp on digits, with the losses of --backend wasm, and exports what tells them apart', async () => {
    const { page, complaints } = await openTraining();
    await page.locator('#data').selectOption('digits');
    await expect.poll(() => page.locator('#held-name').innerText()).toBe('digit 1: 7');
    expect(await page.locator('#settings output').allInnerTexts()).toEqual(['0.1', '64', '0.9', '2', '1']);
    await train(page, 60);
    const settings: Settings = { ...defaultSettings, data: 'digits', depth: 2, batchSize: 64 };
    const records = gunzipSync(readFileSync('worker/page/train/engine/digits/mnist.bin.gz'));
    const subject = digitsOf(records);
    const { layers } = networkOf('with', settings, subject);
    expect(layers).toEqual(networks['mnist-mlp'].layers);
    const taken = await losses(page);
    const backend = { ...(await wasmBackend()), stepper: 'compiled' } as const;
    for (const side of sides) {
      const expected = await expectedLosses(settings, side, 10, backend, subject);
      expect(
        taken.slice(0, 10).map((each) => each[side]),
        side,
      ).toEqual(Array.from(expected));
    }
    const right = /right (\d+\.\d) %/.exec(await facts(page, 'with').innerText())?.[1];
    expect(Number(right)).toBeGreaterThan(75);
    const archive = await saved(page, 'Model (ONNX and card)');
    const card = JSON.parse(
      new TextDecoder().decode(unzipSync(readFileSync(archive.path))['with-batch-norm/card.json']),
    ) as { readonly verification: { readonly samples: number }; readonly inputs: readonly object[] };
    expect(card.verification.samples).toBe(512);
    expect(card.inputs[0]).toMatchObject({ name: 'pixels', shape: [-1, 1, 28, 28], picture: { drawing: true } });
    expect(complaints).toEqual([]);
  });

  it('watches a channel that exists where the next network has fewer of them', async () => {
    const { page } = await openTraining({ data: 'digits', depth: 2, batchSize: 64 });
    const channel = page.locator('#watched-channel + output');
    await page.locator('#watched-channel').press('End');
    await expect.poll(() => channel.innerText()).toBe('256 of 256');
    await page.locator('#data').selectOption('circles');
    await expect.poll(() => channel.innerText()).toBe('16 of 16');
    await expect.poll(() => progress(page)).toContain('step 0');
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });

  it('watches the last sample where the next data have fewer of them', async () => {
    const { page } = await openTraining({ data: 'digits', depth: 2, batchSize: 64 });
    const sample = page.locator('#held + output');
    await page.getByRole('slider', { name: 'No.' }).press('End');
    await expect.poll(() => sample.innerText()).toBe('512 of 512');
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => sample.innerText()).toBe('34 of 34');
    for (const step of [1, 2, 3]) {
      await page.locator('#step').click();
      await expect.poll(() => stepOf(page)).toBe(step);
    }
    // The digits had one step alone, and so no line between two.
    await expect.poll(() => page.locator('#answers .drawn.line').getAttribute('d')).toMatch(/^M.+L/);
  });

  it('says that the digits cannot be loaded, and goes on with other data', async () => {
    const { page } = await openTraining();
    await page.route('**/mnist.bin*', (route) => route.abort());
    await page.locator('#data').selectOption('digits');
    await expect.poll(() => page.getByRole('alert').innerText()).not.toBe('');
    await page.locator('#data').selectOption('circles');
    await expect.poll(() => page.locator('[data-side=with] canvas').isVisible()).toBe(true);
    await train(page, 10);
  });

  it('does not wait for digits that nobody wants any more', async () => {
    const { page } = await openTraining();
    await page.route('**/mnist.bin*', () => undefined);
    await page.locator('#data').selectOption('digits');
    await expect.poll(() => progress(page)).toBe('preparing …');
    await page.locator('#data').selectOption('circles');
    await expect.poll(() => progress(page)).toContain('step 0');
  });

  it.each(looks)('is accessible, fits and complains of nothing: %s', async (_, options) => {
    const { page, complaints } = await openTraining({}, options);
    await page.locator('#own-file').setInputFiles(penguins);
    await expect.poll(() => ownFacts(page).innerText()).toContain('276 rows');
    await train(page, 20);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.locator('#data').selectOption('digits');
    await expect.poll(() => page.locator('#held-name').innerText()).toBe('digit 1: 7');
    await train(page, 3);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual([]);
  });
});
