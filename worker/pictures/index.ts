/** Pictures in and out. A Worker loads this with the first picture: decoders and encoder would take a quarter of its start. */
export { pixelsOf } from './picture.ts';
export { toPngUrl } from './png.ts';
