import type { PicturePreparation, PictureSize } from './preparation.ts';

/** What pictures go through where nothing else is said. */
export const plainPreparation = (size: PictureSize, channels: PicturePreparation['channels']): PicturePreparation => ({
  size,
  channels,
  filter: 'triangle',
  fit: 'stretch',
  background: '#ffffff',
});
