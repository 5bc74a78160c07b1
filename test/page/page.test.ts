/** The page for the digits works in a real browser, served as by `npm start`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveDigits } from '../../docs/examples/digits/serve.ts';
import type { Server } from '../../exporter/command/serve.ts';
import { executablePath, launch, open, overflow, violations, visit } from './browser.ts';

const screenshots = join(import.meta.dirname, 'screenshots');
const phone = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true };

let server: Server;
let browser: Browser;

const running = (page: Page) => page.getByRole('radio', { name: 'training' });
const miniBatch = (page: Page) => page.getByRole('radio', { name: 'this mini-batch' });
const count = (page: Page) => page.getByRole('slider', { name: 'How many neighbours' });
const first = (page: Page) => page.getByRole('slider', { name: 'Which ones' });
const answer = (page: Page) => page.locator('.answer .headline b');
const compared = (page: Page) => page.locator('.comparison .headline b');
const verdict = (page: Page) => page.locator('.verdict').textContent();

/** Returns the HTML of everything that the answers and the layers show. */
const results = (page: Page): Promise<string[]> =>
  page.locator('.answer, .comparison .bars, .comparison .headline, .layer').evaluateAll(htmlOf);
const htmlOf = (elements: { outerHTML: string }[]): string[] => elements.map(({ outerHTML }) => outerHTML);

/** Does something that sends a request to the network, and waits for the answer. */
async function answered(page: Page, act: () => Promise<void>): Promise<void> {
  await Promise.all([page.waitForResponse(/explain/), act()]);
}

/** Draws strokes of points in units of the pad. */
async function draw(page: Page, ...strokes: (readonly [number, number])[][]): Promise<void> {
  const box = await page.getByRole('img', { name: 'Drawing pad' }).boundingBox();
  if (box === null) throw new Error('no drawing pad');
  for (const stroke of strokes) {
    for (const [i, [x, y]] of stroke.entries()) {
      await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: 4 });
      if (i === 0) await page.mouse.down();
    }
    await page.mouse.up();
  }
}

describe.skipIf(executablePath === undefined)('the page, in Chromium', () => {
  beforeAll(async () => {
    [server, browser] = await Promise.all([serveDigits(8788), launch()]);
  });
  afterAll(async () => {
    await Promise.all([browser.close(), server.stop()]);
  });

  it('reads a drawn digit', async () => {
    const { page, complaints } = await open(browser, server.url);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByText('Draw something, or choose a picture of a drawing.').waitFor();
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('Clear');
    await draw(page, [[0.3, 0.2], [0.7, 0.2], [0.45, 0.85]]); // oxfmt-ignore
    await expect.poll(() => answer(page).textContent()).toBe('7');
    await page.getByRole('button', { name: 'Clear' }).click();
    await draw(page, [[0.5, 0.15], [0.5, 0.85]]); // oxfmt-ignore
    await expect.poll(() => answer(page).textContent()).toBe('1');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('keeps what is drawn while the test digits are still loading', async () => {
    const page = await browser.newPage();
    const wanted = Promise.withResolvers<undefined>();
    await page.route('**/digits*.gz', async (route) => {
      await wanted.promise;
      await route.continue();
    });
    await page.goto(server.url);
    await draw(page, [[0.5, 0.15], [0.5, 0.85]]); // oxfmt-ignore
    await expect.poll(() => answer(page).textContent()).toBe('1');
    wanted.resolve(undefined);
    await page.getByRole('radio', { name: 'test digit 7' }).waitFor();
    expect(await page.locator('.pad').getAttribute('data-holds')).toBe('strokes');
    expect(await answer(page).textContent()).toBe('1');
    await page.close();
  });

  it('shows nothing of a drawing that was cleared when the statistics are switched', async () => {
    const { page } = await open(browser, server.url);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => verdict(page)).toBe('There is no drawing to look at.');
    await miniBatch(page).check();
    expect(await verdict(page)).toBe('There is no drawing to look at.');
    await page.close();
  });

  it('moves nothing with running statistics, whoever the neighbours are', async () => {
    const { page } = await open(browser, server.url);
    const before = await results(page);
    for (const value of ['0', '60', '17']) {
      await answered(page, () => count(page).fill(value));
      expect(await results(page)).toEqual(before);
    }
    await answered(page, () => first(page).fill('3'));
    expect(await results(page)).toEqual(before);
    await page.close();
  });

  it('answers by the neighbours with mini-batch statistics', async () => {
    const { page } = await open(browser, server.url);
    const fixed = await compared(page).textContent();
    expect(await page.locator('.seen').isVisible()).toBe(false);
    await miniBatch(page).check();
    expect(await compared(page).textContent()).not.toBe(fixed);
    expect(await answer(page).textContent()).toBe(fixed);
    expect(await page.locator('.seen dd').allTextContents()).toEqual(['7', '0']);
    const before = await results(page);
    await answered(page, () => first(page).fill('3'));
    await expect.poll(() => results(page)).not.toEqual(before);
    await running(page).check();
    expect(await compared(page).textContent()).toBe(fixed);
    await page.close();
  });

  it('answers the same for every digit with the statistics of a mini-batch of one', async () => {
    const { page } = await open(browser, server.url);
    await count(page).fill('0');
    await miniBatch(page).check();
    const answers = new Set<string | null>();
    for (const digit of [3, 1, 9]) {
      await answered(page, () => page.getByRole('radio', { name: `test digit ${digit}` }).check());
      await expect.poll(() => answer(page).textContent()).toBe(String(digit));
      await expect.poll(() => verdict(page)).toContain('each channel of bn3 holds one value: σ² is 0 there');
      answers.add(await compared(page).textContent());
    }
    expect(answers.size).toBe(1);
    await page.close();
  });

  it('works with the keyboard alone', async () => {
    const { page } = await open(browser, server.url);
    await page.getByRole('radio', { name: 'test digit 7' }).focus();
    await answered(page, () => page.keyboard.press('ArrowLeft'));
    await expect.poll(() => answer(page).textContent()).toBe('6');
    await running(page).focus();
    await page.keyboard.press('ArrowRight');
    expect(await miniBatch(page).isChecked()).toBe(true);
    await page.keyboard.press('Tab');
    await answered(page, () => page.keyboard.press('End'));
    expect(await count(page).inputValue()).toBe('60');
    const channel = page.getByRole('slider', { name: 'Channel' }).first();
    const chart = page.locator('.layer svg').first();
    const before = await chart.getAttribute('aria-label');
    await channel.focus();
    await page.keyboard.press('ArrowRight');
    expect(await chart.getAttribute('aria-label')).not.toBe(before);
    await page.close();
  });

  it('answers without its layers, and says so where they do not', async () => {
    const page = await browser.newPage();
    await page.route('**/explain?**', (route) => route.fulfill({ status: 404, json: { error: 'model: not here' } }));
    await page.goto(server.url);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await expect.poll(() => verdict(page)).toBe('Its layers did not answer. model: not here');
    expect(await answer(page).textContent()).toBe('7');
    await page.close();
  });

  it('serves the report beside it, with the style and the fonts inside', async () => {
    const { page, complaints } = await visit(browser, server.url);
    await page.getByRole('link', { name: 'Eleven claims about Batch Norm' }).click();
    await page.getByRole('heading', { level: 1, name: 'Batch Norm, claim by claim' }).waitFor();
    expect(
      await page.evaluate('document.fonts.ready.then((fonts) => [...fonts].map(({ status }) => status))'),
    ).toContain('loaded');
    expect(complaints).toEqual([]);
    await page.close();
  });

  const looks = [
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone-light', { colorScheme: 'light', ...phone }],
    ['phone-dark', { colorScheme: 'dark', ...phone }],
  ] as const;

  it.each(looks)('is accessible and complains of nothing: %s', async (_, options) => {
    const { page, complaints } = await open(browser, server.url, options);
    expect(await violations(page)).toEqual([]);
    await miniBatch(page).check();
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(['serif', 'sans-serif', 'monospace'])('fits its formulas into 320 pixels, set in %s', async (font) => {
    const { page } = await open(browser, server.url, { viewport: { width: 320, height: 600 }, bypassCSP: true });
    await page.getByText('Why it must be so').click();
    await page.addStyleTag({ content: `math, math * { font-family: ${font} }` });
    expect(await overflow(page)).toBe(0);
    await page.close();
  });

  it.each(['running', 'batch'] as const)('poses for the README with %s statistics', async (statistics) => {
    const colorScheme = statistics === 'batch' ? 'dark' : 'light';
    const { page } = await open(browser, server.url, { colorScheme, viewport: { width: 1180, height: 900 } });
    if (statistics === 'batch') await miniBatch(page).check();
    await expect.poll(() => compared(page).textContent()).toBe(statistics === 'batch' ? '0' : '7');
    const whole = statistics === 'batch' ? page.locator('.batch-norm') : page;
    const picture = await sharp(await whole.screenshot({ animations: 'disabled' }))
      .png({ palette: true })
      .toBuffer();
    writeFileSync(join(screenshots, `page-${statistics}.png`), picture);
    expect(picture.length).toBeLessThan(150_000);
    await page.close();
  });
});
