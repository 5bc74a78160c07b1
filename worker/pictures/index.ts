/**
 * Decodes and encodes pictures. A Worker loads this module with the first picture: the decoders and the encoder would
 * take a quarter of its start.
 */
export { pixelsOf } from './picture.ts';
export { toPngUrl } from './png.ts';
