/** What a model expects of what it is asked: by its file, whose running statistics are of training, and by its card. */
import type { ModelAbout } from '../image.ts';
import type { Reference } from './assess.ts';

/** @returns nothing where the model is not watched */
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
