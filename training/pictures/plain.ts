import type { PicturePreparation, PictureSize } from './preparation.ts';

/** What pictures go through where nothing else is said. */
export const plainPreparation = (size: PictureSize, channels: 1 | 3): PicturePreparation => ({
  size,
  channels,
  filter: 'triangle',
  fit: 'stretch',
  background: '#ffffff',
});
