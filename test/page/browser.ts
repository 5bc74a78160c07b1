/** Starts the system's Chromium, driven by Playwright, and opens pages in it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Undefined on a machine without a browser. */
export const executablePath = candidates.find((path) => path !== undefined && existsSync(path));

/** @param more switches of Chromium */
export function launch(...more: readonly string[]): Promise<Browser> {
  if (executablePath === undefined) throw new Error('internal: no browser');
  const args =
    '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  return chromium.launch({ executablePath, args: [...args.split(' '), ...more] });
}

export interface OpenPage {
  readonly page: Page;
  /** Lists what the browser complained about so far: errors, warnings, and requests that failed or left the site. */
  readonly complaints: readonly string[];
}

/** Opens the Worker's page at `url`, and waits until the explanation of its first digit is shown. */
export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const opened = await visit(browser, url, options);
  await opened.page.locator('.layer').first().waitFor();
  return opened;
}

/** @param path the path of a page below `url` */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  path = '',
): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    // The page itself has made this file.
    if (request.url().startsWith('blob:')) return;
    if (!request.url().startsWith(url)) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(`${url}${path}`);
  return { page, complaints };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Returns the accessibility violations that axe finds in the page's current state: contrast, names, roles. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const report = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
  return report.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Returns the pixels by which the page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.locator('html').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
