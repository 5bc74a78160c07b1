/** The training page's engine agrees with the WASM backend, its controls work, and it looks as before. */
import { readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { unzipSync } from 'fflate';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildImage } from '../../exporter/edge/build-image.ts';
import { wasmBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/index.ts';
import { trainToFolder } from '../../training/run/index.ts';
import type { Image } from '../../worker/create-worker.ts';
import { type Settings, sides, defaultSettings } from '../../worker/page/train/engine/settings.ts';
import { toHash } from '../../worker/page/train/share.ts';
import { executablePath, overflow, violations } from './browser.ts';
import {
  emptyFolder,
  expectedLosses,
  facts,
  go,
  losses,
  looks,
  progress,
  saved,
  nextDrawing,
  stepOf,
  train,
  useTraining,
} from './training.ts';

/** Counts the points of each path. */
const lengthsOf = (paths: { getAttribute: (name: string) => string | null }[]): number[] =>
  paths.map((path) => path.getAttribute('d')?.match(/[ML]/g)?.length ?? 0);

const built = join(import.meta.dirname, '../../dist/page');

describe('the engine, as it is bundled', () => {
  const names = readdirSync(join(built, 'train')).filter((name) => name.endsWith('.js'));
  const read = (name: string): string => readFileSync(join(built, 'train', name), 'utf8');
  const code = read(names.find((name) => name.startsWith('engine-')) ?? '');

  it('is one file, and two others on demand, which ask for nothing else and for nothing of Node', async () => {
    expect(names.map((name) => name.replace(/-[\w-]{8}\.js$/, ''))).toEqual(['engine', 'own-table', 'take-away']);
    for (const name of names) {
      const { metafile } = await build({
        stdin: { contents: read(name) },
        ...{ bundle: true, external: ['*'], format: 'esm', metafile: true, write: false },
      });
      const asked = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
      expect(
        asked.filter((path) => !names.includes(path.replace('./', ''))),
        name,
      ).toEqual([]);
    }
    expect(code).not.toMatch(/\bprocess\.(versions|env|platform|cwd)|onnxruntime-node/);
  });

  it('leaves what is loaded on demand out: a reader of tables of at most 40 kB of gzip, and digits of at most 500 kB', () => {
    const [table = ''] = names.filter((name) => name.startsWith('own-table'));
    expect(gzipSync(read(table)).length).toBeLessThan(40_000);
    const [digits = ''] = readdirSync(join(built, 'assets')).filter((name) => name.startsWith('mnist'));
    const bytes = readFileSync(join(built, 'assets', digits));
    expect(bytes.length).toBeLessThan(500_000);
    expect(gunzipSync(bytes).length).toBe(3072 * 785);
    expect(code).toContain(digits);
  });

  it('brings the whole page to less than 300 kB of gzip, fonts included', () => {
    const page = readFileSync(join(built, 'train', 'index.html'), 'utf8');
    const assets = readdirSync(join(built, 'assets')).filter((name) => page.includes(name) || name.endsWith('.woff2'));
    const shared = readdirSync(join(built, 'assets')).filter((name) => name.startsWith('d3-'));
    const files = [...assets, ...shared].map((name) => readFileSync(join(built, 'assets', name)));
    const bytes = [page, code, ...files].reduce((sum, file) => sum + gzipSync(file).length, 0);
    expect(files.length).toBeGreaterThan(3);
    expect(bytes).toBeLessThan(300_000);
  });
});

describe.skipIf(executablePath === undefined)('the training page, in Chromium', () => {
  const training = useTraining();
  const openTraining = training.open;

  const runs: readonly Partial<Settings>[] = [
    {},
    { data: 'spirals', optimizer: 'adam', learningRate: 0.01, depth: 6, batchSize: 64, seed: 7 },
    { data: 'circles', optimizer: 'momentum', learningRate: 0.05, scale: 0.5, batchSize: 256, bnMomentum: 0.99 },
    { data: 'clouds', batchSize: 1, depth: 2, points: [{ x: 0.5, y: -0.5, label: 1 }] },
  ];

  it.each(runs)('has the losses of --backend wasm to the bit: %j', async (part) => {
    const settings = { ...defaultSettings, ...part };
    const { page, complaints } = await openTraining(settings);
    await train(page, 200);
    const taken = await losses(page);
    expect(taken.length).toBeGreaterThanOrEqual(200);
    const backend = await wasmBackend();
    for (const side of sides) {
      const expected = await expectedLosses(settings, side, 200, backend);
      expect(
        taken.slice(0, 200).map((each) => each[side]),
        side,
      ).toEqual(Array.from(expected));
    }
    expect(complaints).toEqual([]);
  });

  it('keeps the bits through steps one by one, pauses, and a rate that is changed and changed back', async () => {
    const { page } = await openTraining();
    await page.locator('#step').click();
    await expect.poll(() => stepOf(page)).toBe(1);
    const rate = page.getByRole('slider', { name: 'Learning rate' });
    await rate.press('ArrowRight');
    await rate.press('ArrowLeft');
    await page.locator('#step').click();
    await expect.poll(() => stepOf(page)).toBe(2);
    await train(page, 40);
    const expected = await expectedLosses(defaultSettings, 'with', 40, await wasmBackend());
    expect((await losses(page)).slice(0, 40).map((each) => each.with)).toEqual(Array.from(expected));
  });

  it('diverges without Batch Norm where it learns with it: rate 1, eight layers, weights doubled', async () => {
    const { page } = await openTraining({ learningRate: 1, depth: 8, scale: 2 });
    await train(page, 400);
    expect(await facts(page, 'without').innerText()).toMatch(/^Diverged: loss NaN/);
    const right = /right (\d+\.\d) %/.exec(await facts(page, 'with').innerText())?.[1];
    expect(Number(right)).toBeGreaterThan(95);
  });

  it('has one answer for a sample by running statistics, and many by those of mini-batches', async () => {
    const { page } = await openTraining({ batchSize: 8 });
    const said = async (): Promise<readonly number[]> => {
      const label = (await page.locator('#answers').getAttribute('aria-label')) ?? '';
      return (label.match(/[\d.]+/g) ?? []).slice(0, 2).map(Number);
    };
    await train(page, 300);
    // From here on the weights hardly change.
    await page.getByRole('slider', { name: 'Learning rate' }).press('Home');
    await page.getByRole('slider', { name: 'Running average keeps' }).press('End');
    await expect.poll(() => page.locator('#setting-learningRate + output').innerText()).toBe('0.001');
    const seen: (readonly number[])[] = [];
    for (let i = 0; i < 8; i++) {
      const before = await stepOf(page);
      const drawn = nextDrawing(page, '#answers');
      await page.locator('#step').click();
      await expect.poll(() => stepOf(page)).toBe(before + 1);
      await drawn;
      seen.push(await said());
    }
    const spread = (of: 0 | 1): number => {
      const values = seen.map((pair) => pair[of] ?? NaN);
      return Math.max(...values) - Math.min(...values);
    };
    expect(spread(0)).toBeLessThan(0.02);
    expect(spread(1)).toBeGreaterThan(5 * spread(0));
  });

  it('draws no answer to the sample that was watched before', async () => {
    const { page } = await openTraining();
    const drawn = () => page.locator('#answers .drawn').evaluateAll(lengthsOf);
    await page.locator('#step').click();
    await expect.poll(() => stepOf(page)).toBe(1);
    await expect.poll(drawn).toEqual([2, 2]);
    // From here on the engine does not learn what is watched, as if its news had been on their way already.
    await page.evaluate(`{
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (order) {
        if (order.kind !== 'watch') postMessage.call(this, order);
      };
    }`);
    await page.getByRole('slider', { name: 'x', exact: true }).press('End');
    await page.locator('#step').click();
    await expect.poll(() => stepOf(page)).toBe(2);
    await expect.poll(drawn).toEqual([0, 0]);
  });

  it('restores all settings from a link, and keeps the link as they change', async () => {
    const settings: Partial<Settings> = {
      ...{ data: 'circles', learningRate: 0.025, batchSize: 96, bnMomentum: 0.5, depth: 3, scale: 2 },
      ...{ optimizer: 'adam', seed: 42, points: [{ x: -0.25, y: 0.75, label: 0 }] },
    };
    const { page } = await openTraining(settings);
    const shown = await page.locator('#settings output').allInnerTexts();
    expect(shown).toEqual(['0.025', '96', '0.5', '3', '2']);
    expect(await page.locator('#data').inputValue()).toBe('circles');
    expect(await page.locator('#optimizer').inputValue()).toBe('adam');
    expect(await page.locator('#seed').inputValue()).toBe('42');
    await page.getByRole('slider', { name: 'Hidden layers' }).press('ArrowRight');
    await expect.poll(() => new URL(page.url()).hash).toBe(toHash({ ...defaultSettings, ...settings, depth: 4 }));
  });

  const wrong = [
    ['#depth=99', 'link: depth: expected a whole number from 1 to 8, got "99"'],
    ['#data=mnist', 'link: data: expected moons, circles, spirals, clouds, empty, digits, own, got mnist'],
    ['#speed=1', 'got "speed"'],
    ['#points=1.2', 'link: points: expected x.y.class, as in 250.-500.1, got "1.2"'],
  ] as const;

  it.each(wrong)('says what is wrong with a link, and begins with what is usual: %s', async (hash, message) => {
    const { page } = await training.openAt(hash);
    await expect.poll(() => page.getByRole('alert').innerText()).toContain(message);
    await expect.poll(() => progress(page)).toContain('step 0');
  });

  it('trains on points that are dropped, by mouse and keyboard, and says when there are too few', async () => {
    const { page } = await openTraining({ points: [{ x: 0, y: 0, label: 0 }] });
    await page.locator('#data').selectOption('empty');
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('“Batch size”: expected 1 to 1');
    await page.getByRole('slider', { name: 'Batch size' }).press('Home');
    await page.getByRole('radio', { name: 'drops a ▲' }).check();
    await page.locator('[data-side=with] canvas').click({ position: { x: 20, y: 20 } });
    await page.getByRole('slider', { name: 'x', exact: true }).press('End');
    await page.getByRole('button', { name: 'Drop ● at ◎' }).press('Enter');
    await expect.poll(() => new URL(page.url()).hash).toMatch(/points=0\.0\.0_-\d+\.\d+\.1_1000\.0\.0$/);
    await expect.poll(() => progress(page)).toContain('step 0');
    await train(page, 20);
    await page.getByRole('button', { name: 'Remove what was dropped' }).click();
    await expect.poll(() => new URL(page.url()).hash).not.toContain('points');
  });

  it('shows points that are too few, says so, and neither starts nor saves before there are more', async () => {
    const { page, complaints } = await training.openAt('#data=empty&batch=2');
    const alert = page.getByRole('alert');
    await expect.poll(() => alert.innerText()).toMatch(/^There are no points yet/);
    await page.getByRole('radio', { name: 'drops a ▲' }).check();
    const canvas = page.locator('[data-side=with] canvas');
    const drop = (x: number) => canvas.click({ position: { x, y: 20 } });
    await drop(20);
    await expect.poll(() => alert.innerText()).toMatch(/^“Batch size”: expected 1 to 1 /);
    expect(await canvas.getAttribute('aria-label')).toContain('nothing is trained yet');
    for (const button of [go(page), page.locator('#step'), page.getByRole('button', { name: 'Checkpoint' })]) {
      await button.click();
      expect(await alert.innerText()).toMatch(/^“Batch size”/);
      expect(await go(page).innerText()).toBe('Start');
    }
    expect(await page.locator('#layers').isVisible()).toBe(false);
    await drop(60);
    await expect.poll(() => progress(page)).toContain('step 0');
    expect(await alert.isVisible()).toBe(false);
    await train(page, 10);
    expect(await facts(page, 'with').innerText()).toBe('Nothing is held back');
    expect(complaints).toEqual([]);
  });

  it('trains with what was chosen last, however fast it was chosen, and tells nothing of what was before', async () => {
    const { page } = await openTraining();
    await page.locator('#pace').selectOption('Infinity');
    await go(page).click();
    await expect.poll(() => stepOf(page)).toBeGreaterThan(20);
    await page.evaluate(`
      window.told = [];
      const progress = document.querySelector('#progress');
      new MutationObserver(() => told.push(progress.textContent)).observe(progress, { childList: true });
      const set = (selector, value, event) => {
        const input = document.querySelector(selector);
        input.value = value;
        input.dispatchEvent(new Event(event));
      };
      for (let i = 0; i < 30; i++) {
        set('#setting-depth', String((3 * i) % 8), 'input');
        set('#data', ['spirals', 'empty', 'circles'][i % 3], 'change');
        set('#watched-channel', String(1 + (i % 16)), 'input');
        document.querySelector(['#go', '#step', '#reset'][i % 3]).click();
      }
    `);
    await expect.poll(() => progress(page)).toContain('step 0');
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    const told = await page.evaluate<readonly string[]>('told');
    expect(new Set(told)).toEqual(new Set(['preparing …', 'step 0, epoch 1']));
    await train(page, 40);
    const settings: Settings = { ...defaultSettings, data: 'circles', depth: 8 };
    const expected = await expectedLosses(settings, 'with', 40, await wasmBackend());
    expect((await losses(page)).slice(0, 40).map((each) => each.with)).toEqual(Array.from(expected));
  });

  it.each([
    ['vectors', 'WebAssembly.validate = () => false', /^Training needs WebAssembly with vectors[^.]*\.$/],
    ['WebAssembly', 'delete window.WebAssembly', /^Training needs WebAssembly with vectors[^.]*\.$/],
    ['workers', 'delete window.Worker', /^Training needs web workers[^.]*\.$/],
  ])('says in one sentence that a browser without %s cannot train', async (_, script, sentence) => {
    const page = await training.browser.newPage();
    onTestFinished(() => page.close());
    await page.addInitScript(script);
    await page.goto(`${training.url}/train/`);
    expect(await page.getByRole('alert').innerText()).toMatch(sentence);
    expect(await page.locator('#stage').isVisible()).toBe(false);
  });

  it('fills the formulas with numbers that the training graph has as well', async () => {
    const { page } = await openTraining({ batchSize: 8 });
    await train(page, 20);
    await page.getByText('One step, by hand').click();
    await expect.poll(() => page.locator('#by-hand-rows tr').count()).toBe(8);
    const said = await page.locator('#by-hand-formulas dd').allInnerTexts();
    expect(said).toHaveLength(11);
    expect(said[0]).toMatch(/^1\/8 · \(.+ \+ …\) = /);
    const within = /within (.+) of these$/.exec(said.at(-1) ?? '')?.[1]?.replace('−', '-');
    // The graph computes in float32, the formulas by hand in float64.
    expect(Number(within)).toBeLessThan(1e-5);
    expect(await violations(page)).toEqual([]);
  });

  it('sets the controls by the links of its experiments', async () => {
    const { page } = await openTraining();
    await train(page, 10);
    await page.getByRole('listitem').filter({ hasText: 'Why normalise?' }).getByRole('link').click();
    await expect.poll(() => progress(page)).toMatch(/^step 0/);
    expect(await page.locator('#settings output').allInnerTexts()).toEqual(['0.1', '32', '0.9', '8', '0.1']);
    expect(await go(page).innerText()).toBe('Start');
    // The text of the experiment is shown beside the controls, and the start button has the focus.
    await expect.poll(() => page.locator('#experiment').innerText()).toMatch(/^Eight layers whose weights begin/);
    expect(await page.locator('#go:focus').count()).toBe(1);
    expect((await page.locator('#experiments').boundingBox())?.y).toBeGreaterThanOrEqual(0);
    // Following the same link again begins anew.
    await page.locator('#step').click();
    await expect.poll(() => stepOf(page)).toBe(1);
    await page.getByRole('listitem').filter({ hasText: 'Why normalise?' }).getByRole('link').click();
    await expect.poll(() => stepOf(page)).toBe(0);
    await page.goBack();
    await expect.poll(() => page.locator('#experiment').isVisible()).toBe(false);
    await expect.poll(() => page.locator('#settings output').allInnerTexts()).toEqual(['0.1', '32', '0.9', '4', '1']);
  });

  it('exports a model that is served, with the probability that the page shows', async () => {
    const { page, complaints } = await openTraining();
    await page.getByRole('slider', { name: 'x', exact: true }).fill('0.3');
    await page.getByRole('slider', { name: 'y', exact: true }).fill('-0.2');
    await train(page, 60);
    const archive = await saved(page, 'Model (ONNX and card)');
    expect(archive.name).toBe('with-batch-norm.zip');
    const folder = await emptyFolder();
    for (const [path, content] of Object.entries(unzipSync(readFileSync(archive.path)))) {
      const to = join(folder, 'models', path);
      await mkdir(dirname(to), { recursive: true });
      if (!path.endsWith('/')) await writeFile(to, content);
    }
    await buildImage({ models: join(folder, 'models'), out: join(folder, 'image') });
    const { default: image } = (await import(pathToFileURL(join(folder, 'image', 'image.mjs')).href)) as {
      readonly default: Image;
    };
    const session = image.sessions.get('with-batch-norm/model');
    const { logits } =
      session?.run({ features: { dtype: 'float32', shape: [1, 2], data: Float32Array.of(0.3, -0.2) } }) ?? {};
    const [a = NaN, b = NaN] = Array.from(logits?.data as ArrayLike<number>);
    const label = (await page.locator('[data-side=with] canvas').getAttribute('aria-label')) ?? '';
    const shown = Number(/a probability of (?:[<>] )?(\d+\.\d) %/.exec(label)?.[1]) / 100;
    // The page rounds the probability to a tenth of a percent.
    expect(Math.abs(1 / (1 + Math.exp(a - b)) - shown)).toBeLessThan(0.00051);
    expect(complaints).toEqual([]);
  });

  it('saves a checkpoint from which bn-edge train goes on with the data that the page saves', async () => {
    const { page } = await openTraining();
    await train(page, 150);
    const [checkpoint, data] = [await saved(page, 'Checkpoint'), await saved(page, 'Data (CSV)')];
    expect([checkpoint.name, data.name]).toEqual(['with-batch-norm.safetensors', 'points.csv']);
    const folder = await emptyFolder();
    await copyFile(data.path, join(folder, data.name));
    const rate = { optimizer: 'sgd', learningRate: 1e-6, schedule: 'constant' } as const;
    const config = { ...rate, bnMomentum: 0.9, seed: 1, epochs: 1, batchSize: 32 };
    const options = { data: { path: join(folder, data.name), label: 'class' }, config, backend: 'wasm' } as const;
    const { history } = await trainToFolder({ ...options, from: checkpoint.path, out: join(folder, 'run') });
    // The checkpoint carries what the page has learnt: fresh tensors would get half of the samples right.
    expect(history.at(-1)?.validation.score).toBeGreaterThan(0.95);
    const stored = await loadModel(checkpoint.path);
    expect(stored.batches).toBe(await stepOf(page));
    expect(stored.columns?.map(({ name }) => name)).toEqual(['x', 'y']);
  });

  it('refuses to give a network away that has diverged, and trains the other on', async () => {
    const { page } = await openTraining({ learningRate: 1, depth: 8, scale: 2 });
    await train(page, 200);
    await page.locator('#pace').selectOption('25');
    await go(page).click();
    await page.getByRole('combobox', { name: 'The network' }).selectOption('without');
    await page.getByRole('button', { name: 'Checkpoint', exact: true }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('got one that has diverged');
    const before = await stepOf(page);
    await expect.poll(() => stepOf(page)).toBeGreaterThan(before);
    expect(await go(page).innerText()).toBe('Pause');
  });

  it.each(looks)('is accessible, fits and complains of nothing: %s', async (_, options) => {
    const { page, complaints } = await openTraining({}, options);
    await train(page, 20);
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual([]);
  });
});
