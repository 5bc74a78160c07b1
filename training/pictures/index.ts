/**
 * Pictures as a model takes them, the same in training and in a Worker: which is why a Worker imports this folder, and why nothing here
 * knows Node.
 */
export { decodePicture, decodeRows } from './decode.ts';
export { isJpeg, isPicture } from './format.ts';
export { numbersOf, pictureShape, tablesOf } from './numbers.ts';
export { giveBack, type Picture, PictureError } from './picture.ts';
export { plainPreparation } from './plain.ts';
export type { Fit, Layout, PictureNumbers, PicturePreparation, PictureSize } from './preparation.ts';
export { preparePicture, prepareRows } from './prepare.ts';
