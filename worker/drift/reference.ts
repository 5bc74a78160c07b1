/**
 * Derives what a model expects of its requests: from its file, whose running statistics come from training, and from
 * its card.
 */
import type { ModelAbout } from '../image.ts';
import type { Reference } from './assess.ts';

/** @returns undefined when the model is not monitored */
export function referenceOf({ monitor, batchNorm, labels }: ModelAbout): Reference | undefined {
  if (!monitor) return undefined;
  const watched = new Set(monitor.layers.map(({ name }) => name));
  const { classes } = monitor;
  const trained = classes?.samples ?? monitor.columns[0]?.samples;
  return {
    layers: batchNorm.filter(({ name }) => watched.has(name)),
    ...(trained !== undefined && { trained }),
    columns: monitor.columns
      .filter(({ shares }) => shares.length > 0)
      .map(({ name, samples, shares, missing }) => ({ name, samples, shares: [...shares, missing] })),
    ...(labels && classes && { classes: { labels, ...classes } }),
  };
}

const digests = new WeakMap<ModelAbout, Promise<string>>();

/**
 * Returns a digest that distinguishes one reference from another. A network that is trained again and exported under its old
 * version has other channels in the same places: what was counted for the former network does not apply to it.
 */
export function digestOf(model: ModelAbout): Promise<string> {
  const digest = digests.get(model) ?? hexDigest(JSON.stringify([model.batchNorm, model.monitor ?? null]));
  digests.set(model, digest);
  return digest;
}

async function hexDigest(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
