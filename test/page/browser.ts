/** The system's Chromium, driven by Playwright, and the page in it. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const candidates = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** `undefined` on a machine without a browser. */
export const executablePath = candidates.find((path) => path !== undefined && existsSync(path));

export function launch(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('internal: no browser');
  const args =
    '--no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  return chromium.launch({ executablePath, args: args.split(' ') });
}

export interface OpenPage {
  readonly page: Page;
  /** What the browser complained about so far: errors, warnings, and requests that failed or left the site. */
  readonly complaints: readonly string[];
}

/** The page at `url`, once the network has answered to its first digit. */
export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  await page.locator('.layer').first().waitFor();
  return { page, complaints };
}
