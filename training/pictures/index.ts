/** Prepares pictures for a model. Training and the Worker import this same code, so nothing here depends on Node. */
export { decodePicture, decodeRows } from './decode.ts';
export { isJpeg } from './format.ts';
export { numbersOf, pictureShape, tablesOf } from './numbers.ts';
export { giveBack, type Picture, PictureError } from './picture.ts';
export { plainPreparation } from './plain.ts';
export type { Layout, PictureNumbers, PicturePreparation } from './preparation.ts';
export { preparePicture, prepareRows } from './prepare.ts';
