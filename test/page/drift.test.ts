/** The page shows a model that has drifted, one that has not, and models whose drift is unknown. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Monitor } from '../../worker/drift/monitor.ts';
import { referenceOf } from '../../worker/drift/reference.ts';
import { reportOn } from '../../worker/drift/report.ts';
import { type DriftWindow, windowMs } from '../../worker/drift/window.ts';
import { RequestError } from '../../worker/errors.ts';
import type { BatchNormLayer } from '../../worker/image.ts';
import { imageOf } from '../worker/images.ts';
import { executablePath, launch, type OpenPage, overflow, violations, visit } from './browser.ts';
import { type Served, serveImage } from './serve-image.ts';

const normOf = (name: string, channels: number): BatchNormLayer => {
  const all = (value: number): readonly number[] => new Array<number>(channels).fill(value);
  return { name, input: 'x', output: 'y', epsilon: 1e-5, momentum: 0.9, gamma: all(1), beta: all(0), runningMean: all(0), runningVar: all(1) }; // oxfmt-ignore
};

const norms = [normOf('bn1', 16), normOf('a_layer_with_quite_a_long_name_of_its_own_bn2', 64)];
const labels = ['ham', 'spam', 'a class of which one has to write a lot'];
const monitor = {
  layers: norms.map(({ name }) => ({ name, of: 'input', hasPlaces: false }) as const),
  columns: [
    { name: 'area', samples: 5000, missing: 0, shares: [0.25, 0.25, 0.25, 0.25] },
    { name: 'how it is heated in the winter', samples: 5000, missing: 0.1, shares: [0.5, 0.4, 0] },
  ],
  classes: { shares: [0.6, 0.3, 0.1], samples: 5000 },
};
const echo = { kind: 'logits', shape: ['N', 2], labels, batchNorm: norms, monitor } as const;
const image = imageOf(
  { name: 'calm', ...echo },
  { name: 'few', ...echo },
  { name: 'moved', ...echo },
  { name: 'unasked', ...echo },
  { name: 'unbound', ...echo },
  { name: 'bare', kind: 'logits', shape: ['N', 2], labels, monitor: { layers: [], columns: [] } },
);

/** Returns a window of samples whose means differ by channel by up to `max` σ. */
function windowOf(hour: number, samples: number, max: number): DriftWindow {
  const means = (channels: number): readonly number[] =>
    Array.from({ length: channels }, (_, c) => max * Math.sin(c) * (1 - c / channels));
  const isMoved = max > 0;
  return {
    start: 490_000 * windowMs + hour * windowMs,
    samples,
    layers: Object.fromEntries(
      norms.map(({ name, runningMean }) => {
        const all = means(runningMean.length);
        const square = all.map((mean, c) => samples * (mean ** 2 + (isMoved && c % 3 === 0 ? 4 : 1)));
        return [name, { mean: all.map((mean) => samples * mean), square, meanSquare: square }];
      }),
    ),
    columns: {
      area: { missing: 0, outOfRange: isMoved ? samples / 5 : 0, counts: isMoved ? [0, 0.2, 0.3, 0.5].map((share) => share * samples) : [1, 1, 1, 1].map((part) => (part * samples) / 4) }, // oxfmt-ignore
      'how it is heated in the winter': { missing: samples / 10, outOfRange: 0, counts: [samples / 2, 0.4 * samples, 0] }, // oxfmt-ignore
    },
    classes: isMoved ? { ham: samples / 4, spam: samples / 2, [labels[2] ?? '']: samples / 4 } : { ham: 0.6 * samples, spam: 0.3 * samples, [labels[2] ?? '']: 0.1 * samples }, // oxfmt-ignore
  };
}

const hours: Readonly<Record<string, readonly DriftWindow[]>> = {
  calm: [windowOf(0, 900, 0), windowOf(1, 800, 0)],
  few: [windowOf(0, 12, 0)],
  moved: [windowOf(0, 900, 0), windowOf(1, 800, 0), windowOf(2, 90, 0), windowOf(5, 700, 0.4), windowOf(6, 800, 1)],
  unasked: [],
  bare: [windowOf(0, 300, 0)],
};

let asked = 0;
const monitoring: Monitor = {
  watch: () => () => undefined,
  metrics: () => Promise.resolve(''),
  report: (model, _env, { window }) => {
    asked++;
    const [known, reference] = [hours[model.name], referenceOf(model)];
    if (!known || !reference) return Promise.reject(new RequestError('conflict', 'drift: expected the binding DRIFT'));
    return Promise.resolve(reportOn(model, known, reference, window));
  },
};

let server: Served;
let browser: Browser;

const cardOf = (page: Page) => page.locator('.drift');
const verdictOf = (page: Page) => cardOf(page).getByRole('status').textContent();

async function openModel(name: string, options: Parameters<typeof visit>[2] = {}): Promise<OpenPage> {
  const opened = await visit(browser, server.url, { timezoneId: 'UTC', ...options }, `/#/${name}`);
  onTestFinished(() => opened.page.close());
  await expect.poll(() => verdictOf(opened.page)).not.toBe('Asking…');
  return opened;
}

describe.skipIf(executablePath === undefined)('the page on drift, in Chromium', () => {
  beforeAll(async () => {
    browser = await launch();
    server = await serveImage(image, { monitor: monitoring });
  });
  afterAll(() => Promise.all([browser.close(), server.stop()]));

  it.each([
    ['calm', 'No: 800 samples from Mon 17:00 on look like those of training.'],
    ['few', 'Not yet: 12 samples from Mon 16:00 on are too few to say, it takes 200.'],
    ['moved', 'Yes: 800 samples from Mon 22:00 on are not what the model was trained on.'],
    ['unasked', 'Nothing was counted in the last 24 hours.'],
    ['bare', 'Not known: there is nothing to compare 300 samples from Mon 16:00 on with.'],
    ['unbound', 'drift: expected the binding DRIFT'],
  ])('says of %s: %s', async (name, verdict) => {
    const { page } = await openModel(name);
    expect(await verdictOf(page)).toBe(verdict);
  });

  it('shows the windows, the worst channels, the columns and the classes of what has drifted', async () => {
    const { page, complaints } = await openModel('moved');
    expect(await cardOf(page).locator('h3').allTextContents()).toEqual(['Hour by hour', 'What goes into bn1', 'What goes into a_layer_with_quite_a_long_name_of_its_own_bn2', 'Columns', 'Answers']); // oxfmt-ignore
    const windows = await cardOf(page).locator('.drift-trend rect').all();
    const kinds = await Promise.all(windows.map((window) => window.getAttribute('class')));
    expect(kinds).toEqual(['', '', 'is-unknown', 'is-drift', 'is-drift']);
    const bars = cardOf(page).locator('section').nth(1).locator('li');
    expect(await bars.first().textContent()).toBe('channel 3μ +0.80 σ');
    expect(await bars.first().getAttribute('class')).toBe('is-drift');
    expect(await cardOf(page).locator('section', { hasText: 'Columns' }).locator('li').first().textContent()).toMatch(/^area\d\.\d\d, 20\.0 % beyond training's$/); // oxfmt-ignore
    expect(complaints).toEqual([]);
  });

  it('looks again when it is told to', async () => {
    const { page } = await openModel('calm');
    const before = asked;
    await cardOf(page).getByRole('button', { name: 'Look again' }).click();
    await expect.poll(() => asked).toBe(before + 1);
  });

  it('asks for what draws it only where a model is monitored', async () => {
    const plain = await serveImage(image);
    onTestFinished(() => plain.stop());
    const { page } = await visit(browser, plain.url, {}, '/#/calm');
    onTestFinished(() => page.close());
    await page.getByRole('heading', { level: 1, name: 'calm' }).waitFor();
    await page.waitForLoadState('networkidle');
    const files = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
    expect(files.filter((file) => /section/.test(file))).toEqual([]);
    expect(await cardOf(page).count()).toBe(0);
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
    ['dark', 360],
  ] as const)('is readable and no wider than its window: %s, %i px', async (colorScheme, width) => {
    const { page } = await openModel('moved', { colorScheme, viewport: { width, height: 900 } });
    expect(await overflow(page)).toBe(0);
    expect(await violations(page)).toEqual([]);
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/drift-${colorScheme}-${width}.png`, fullPage: true }); // oxfmt-ignore
  });
});
