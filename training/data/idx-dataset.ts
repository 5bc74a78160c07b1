/** Reads grey images and their labels from a pair of IDX files. */
import { at } from '../arrays/index.ts';
import { unexpected } from '../files/index.ts';
import type { ClassificationDataset } from './dataset.ts';
import { readIdx } from './idx.ts';

/**
 * Reads a data set of grey images.
 *
 * @returns images as one channel, `inputShape` `[1, rows, columns]`
 * @throws UserError for an unreadable file, images without three dimensions, another number of labels than of images,
 * or a label that names no class
 */
export async function readIdxDataset(
  imagesPath: string,
  labelsPath: string,
  classes: readonly string[],
): Promise<ClassificationDataset> {
  const [images, labels] = await Promise.all([readIdx(imagesPath), readIdx(labelsPath)]);
  const [count, rows, columns] = images.shape;
  if (count === undefined || rows === undefined || columns === undefined || images.shape.length > 3) {
    throw unexpected(imagesPath, '3 dimensions (images, rows, columns)', images.shape.length);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    throw unexpected(labelsPath, `${count} labels, one for each image`, `shape [${labels.shape.join(', ')}]`);
  }
  const unknown = labels.data.findIndex((label) => label >= classes.length);
  if (unknown >= 0) {
    throw unexpected(`${labelsPath}: label ${unknown}`, `0 to ${classes.length - 1}`, at(labels.data, unknown));
  }
  return {
    task: 'classification',
    inputs: images.data,
    inputShape: [1, rows, columns],
    count,
    labels: Int32Array.from(labels.data),
    places: Int32Array.from({ length: count }, (_, sample) => sample),
    classes,
  };
}
