import type { PicturePreparation, PictureSize } from './preparation.ts';

/** Returns the default preparation of pictures. */
export const plainPreparation = (size: PictureSize, channels: PicturePreparation['channels']): PicturePreparation => ({
  size,
  channels,
  filter: 'triangle',
  fit: 'stretch',
  background: '#ffffff',
});
