/**
 * Operates the training page for the tests: its buttons, its texts and files, and the losses that the command would
 * have.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { Backend } from '../../training/backend/index.ts';
import { createRandom, epochBatches } from '../../training/data/index.ts';
import { planNetwork } from '../../training/network/index.ts';
import { TrainingRun } from '../../training/trainer/index.ts';
import { initialTensors, networkOf } from '../../worker/page/train/engine/networks.ts';
import { type Settings, type Side, defaultSettings } from '../../worker/page/train/engine/settings.ts';
import { configOf } from '../../worker/page/train/engine/side.ts';
import type { Subject } from '../../worker/page/train/engine/subject.ts';
import { planeOf } from '../../worker/page/train/engine/toys.ts';
import { toHash } from '../../worker/page/train/share.ts';
import { imageOf } from '../worker/images.ts';
import { launch, type OpenPage, visit } from './browser.ts';
import { type Served, serveImage } from './serve-image.ts';

export const progress = (page: Page): Promise<string> => page.locator('#progress').innerText();
export const stepOf = async (page: Page): Promise<number> =>
  Number(/step ([\d,]+)/.exec(await progress(page))?.[1]?.replaceAll(',', '') ?? NaN);
/** Resolves when the element of this selector is drawn anew. */
export const nextDrawing = (page: Page, selector: string): Promise<void> =>
  page.evaluate(`new Promise((done) => {
    const changes = new MutationObserver(() => { changes.disconnect(); done(); });
    changes.observe(document.querySelector('${selector}'), { attributes: true, childList: true, subtree: true });
  })`);
export const go = (page: Page) => page.locator('#go');
export const facts = (page: Page, side: Side) => page.locator(`[data-side=${side}] .facts-line`);

export interface Training {
  readonly url: string;
  readonly browser: Browser;
  /** Opens the page with these settings, and waits until the pair is ready. The page is closed after the test. */
  readonly open: (settings?: Partial<Settings>, options?: BrowserContextOptions) => Promise<OpenPage>;
  /** Opens the page with this fragment in its address, valid or not. The page is closed after the test. */
  readonly openAt: (hash: string, options?: BrowserContextOptions) => Promise<OpenPage>;
}

/** Starts a browser and a site for the tests of a `describe`. */
export function useTraining(): Training {
  let server: Served;
  let browser: Browser;
  beforeAll(async () => {
    [server, browser] = await Promise.all([serveImage(imageOf({ name: 'raw', shape: ['N', 2] })), launch()]);
  });
  afterAll(() => Promise.all([browser.close(), server.stop()]));
  const openAt: Training['openAt'] = async (hash, options = {}) => {
    const opened = await visit(browser, server.url, options, `/train/${hash}`);
    onTestFinished(() => opened.page.close());
    return opened;
  };
  return {
    get url() {
      return server.url;
    },
    get browser() {
      return browser;
    },
    openAt,
    open: async (settings = {}, options) => {
      const opened = await openAt(toHash({ ...defaultSettings, ...settings }), options);
      await expect.poll(() => progress(opened.page)).toContain('step 0');
      return opened;
    },
  };
}

/** The viewports and preferences under which the page is tested. */
const phone = { viewport: { width: 360, height: 740 } };
export const looks = [
  ['light', { colorScheme: 'light' }],
  ['dark', { colorScheme: 'dark' }],
  ['phone-light', { colorScheme: 'light', ...phone }],
  ['phone-dark', { colorScheme: 'dark', reducedMotion: 'reduce', ...phone }],
] as const;

/** Saves the losses of all steps through the page, and reads them. */
export async function losses(page: Page): Promise<readonly Readonly<Record<Side, number>>[]> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save-losses').click()]);
  const rows = readFileSync(await download.path(), 'utf8')
    .trim()
    .split('\n')
    .slice(1);
  return rows.map((row) => {
    const [, ofWith = '', without = ''] = row.split(',');
    return { with: Number(ofWith || NaN), without: Number(without || NaN) };
  });
}

/** Computes the losses of the WASM backend for the same settings, by the run of `bn-edge train`. */
export async function expectedLosses(
  settings: Settings,
  side: Side,
  steps: number,
  backend: Backend,
  subject: Subject = planeOf(settings),
): Promise<Float32Array> {
  const { train } = subject;
  const plan = planNetwork(networkOf(side, settings, subject));
  const start = initialTensors(plan, createRandom(settings.seed), train, settings.scale);
  const run = await TrainingRun.start(plan, train, configOf(settings), backend, start);
  const taken: number[] = [];
  for (let epoch = 1; taken.length < steps; epoch++) {
    const order = epochBatches(createRandom(settings.seed), epoch, train.count, settings.batchSize);
    taken.push(...(await run.steps(order)).loss);
  }
  await run.release();
  return Float32Array.from(taken.slice(0, steps));
}

/** Trains at full speed until so many steps are done, and pauses. */
export async function train(page: Page, steps: number): Promise<void> {
  await page.locator('#pace').selectOption('Infinity');
  await go(page).click();
  await expect.poll(() => stepOf(page)).toBeGreaterThanOrEqual(steps);
  await pause(page);
}

/** Pauses, and waits until the page shows the last step. */
export async function pause(page: Page): Promise<void> {
  await go(page).click();
  await expect.poll(() => progress(page)).not.toContain('steps/s');
}

/** Saves a file with a button of the last card. */
export async function saved(page: Page, name: string): Promise<{ readonly name: string; readonly path: string }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), path: await download.path() };
}

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bn-edge-train-page-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
