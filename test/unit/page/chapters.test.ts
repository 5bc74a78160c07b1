/** The texts of the training page's experiments are true for their settings. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { SideNews, Validation } from '../../../worker/page/train/engine/messages.ts';
import { Pair } from '../../../worker/page/train/engine/pair.ts';
import { planeOf } from '../../../worker/page/train/engine/toys.ts';
import { type Side, defaultSettings } from '../../../worker/page/train/engine/settings.ts';
import { fromHash, toHash } from '../../../worker/page/train/share.ts';

const html = readFileSync('worker/page/train/index.html', 'utf8');
const hashes = Array.from(html.matchAll(/href="(#[^"]+)"/g), ([, hash = '']) => hash);

interface Told extends SideNews {
  readonly validation: Validation;
}

async function after(hash: string, steps: number): Promise<Readonly<Record<Side, Told>>> {
  const settings = fromHash(hash);
  const pair = await Pair.begin(settings, planeOf(settings));
  while (pair.steps < steps) await pair.take(Math.min(16, steps - pair.steps));
  const { sides } = pair.news({ layer: 0, channel: 0, sample: { x: 0, y: 0 }, held: 0 }, 0);
  const told = (side: Side): Told => ({ ...sides[side], validation: pair.validation[side] ?? none });
  return { with: told('with'), without: told('without') };
}

/** The results of a network that has diverged. */
const none = { loss: NaN, accuracy: NaN };

/** Returns the mean loss of the last twenty mini-batches. */
const training = ({ losses }: SideNews): number => losses.slice(-20).reduce((sum, loss) => sum + loss, 0) / 20;

const largest = ({ layers }: SideNews): number => Math.max(...layers.map(({ gradientNorm }) => gradientNorm));

it('has six, each with settings that there are', () => {
  expect(hashes).toHaveLength(6);
  for (const hash of hashes) expect(toHash(fromHash(hash))).not.toBe(toHash(defaultSettings));
});

it('names files that there are', () => {
  const files = Array.from(html.matchAll(/<code>((?:training|worker)\/[^<]+)<\/code>/g), ([, path = '']) => path);
  expect(files).toHaveLength(5);
  expect(files.filter((path) => !existsSync(path))).toEqual([]);
});

it('2: only with Batch Norm do eight layers of small weights learn, in 300 steps', async () => {
  const sides = await after('#scale=0.1&depth=8', 300);
  expect(sides.with.validation.accuracy).toBeGreaterThan(0.95);
  expect(sides.without.validation.loss).toBeCloseTo(Math.LN2, 2);
  expect(largest(sides.without)).toBeLessThan(1e-6);
});

it('2: weights four times too large explode without it', async () => {
  const sides = await after('#scale=4&depth=8', 100);
  expect(sides.without.diverged).toContain('expected finite numbers');
  expect(sides.with.diverged).toBeUndefined();
});

it('4: in mini-batches of four the network without it is ahead', async () => {
  const sides = await after('#batch=4&depth=2', 300);
  expect(training(sides.without)).toBeLessThan(training(sides.with));
});

it('5: running averages that keep 0.99 are behind after forty steps, and there after 400', async () => {
  const early = (await after('#momentum=0.99', 40)).with;
  expect(early.validation.loss).toBeGreaterThan(2 * training(early));
  expect((await after('#momentum=0.99', 400)).with.validation.loss).toBeLessThan(0.1);
  expect((await after('#momentum=0.9', 40)).with.validation.loss).toBeLessThan(0.3);
});

it('6: from mini-batches of one nothing comes back through Batch Norm', async () => {
  const sides = await after('#batch=1', 300);
  expect(largest(sides.with)).toBe(0);
  expect(sides.without.validation.accuracy).toBeGreaterThan(0.85);
});
