/** The committed report is readable in a real browser: light, dark and on paper, on wide and narrow windows. */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { writeReport } from '../../docs/experiments/index.ts';
import { executablePath, launch, overflow, violations, visit } from './browser.ts';

const folder = join(import.meta.dirname, '../../docs/experiments/results');
const url = pathToFileURL(join(folder, 'index.html')).href;

/** Lists the formulas and drawings that exceed the window. Elements that scroll by themselves do not widen the page. */
const cutOff = (page: Page): Promise<string[]> =>
  page
    .locator('math, .panel')
    .evaluateAll((elements: { outerHTML: string; getBoundingClientRect(): { right: number } }[]) => {
      const { innerWidth } = globalThis as unknown as { innerWidth: number };
      return elements.filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 200));
    });

it('is what the numbers beside it draw', async () => {
  const copy = await mkdtemp(join(tmpdir(), 'report-'));
  onTestFinished(() => rm(copy, { recursive: true }));
  await cp(folder, copy, { recursive: true });
  const drawn = await readFile(await writeReport(copy), 'utf8');
  const isSame = drawn === (await readFile(join(folder, 'index.html'), 'utf8'));
  expect(isSame, 'docs/experiments/results/index.html is not; draw it with npm run experiments -- --draw').toBe(true);
});

describe.skipIf(executablePath === undefined)('the report, in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
    [1280, 390, 320].map((width) => [colorScheme, width] as const),
  );

  it.each(looks)('is accessible, fits and complains of nothing: %s, %i pixels', async (colorScheme, width) => {
    const { page, complaints } = await visit(browser, url, { colorScheme, viewport: { width, height: 844 } });
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(await cutOff(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(['serif', 'sans-serif', 'monospace'])('fits its formulas into 320 pixels, set in %s', async (font) => {
    const { page } = await visit(browser, url, { viewport: { width: 320, height: 600 } });
    await page.addStyleTag({ content: `math, math * { font-family: ${font} }` });
    expect(await overflow(page)).toBe(0);
    expect(await cutOff(page)).toEqual([]);
    await page.close();
  });
});
