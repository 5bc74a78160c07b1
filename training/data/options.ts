/**
 * Describes where data come from and how they are read, as plain data. It is stored with the model trained on them, so
 * that an export or evaluation reads the same samples again.
 */
import * as z from 'zod';
import { colourSchema, fits } from './picture-preparation.ts';

/** The encodings that the text of a table may have. */
export const encodings = ['utf-8', 'latin1', 'cp1252', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];

const share = z.number().min(0).lt(1).optional();

export const dataSourceSchema = z.strictObject({
  /** A file or a folder. Default: MNIST from its package. */
  path: z.string().optional(),
  /**
   * The target to predict: a table's column, the array in a `.npz` file (where its name does not tell), or the labels'
   * own `.npy` file.
   */
  label: z.string().optional(),
  /**
   * Chooses between classes and numbers. By default, a label of words, or of at most 20 different whole numbers, is a
   * class; any other is a number to predict.
   */
  task: z.enum(['classification', 'regression']).optional(),
  /**
   * Maps a table's column to what replaces its missing values. Default: the median of numbers, and a category of its
   * own for categories.
   */
  impute: z.record(z.string(), z.string()).readonly().optional(),
  /** The imputation of all other numeric columns; `refuse` allows no gaps in any column. */
  imputeOthers: z.string().optional(),
  /** Maps a column to the kind of its values. By default, a column is of the kind that nine in ten of its cells are. */
  kinds: z
    .record(z.string(), z.enum(['numeric', 'categorical', 'date', 'ignored']))
    .readonly()
    .optional(),
  /** Leaves out rows of a table without a label; by default they are refused. */
  dropMissingLabels: z.boolean().optional(),
  /**
   * The character between the cells of a table; a blank stands for any number of blanks. Default: inferred from the
   * beginning of the file.
   */
  delimiter: z.string().optional(),
  /**
   * The quote around the cells of a table; `none` takes quotes as ordinary characters. Default: inferred from the
   * beginning of the file.
   */
  quote: z.string().optional(),
  /** The decimal separator in a table. Default: inferred from the beginning of the file. */
  decimal: z.enum(['.', ',']).optional(),
  /** The encoding of a table in text. Default: UTF-8, or UTF-16 where the first bytes show it. */
  encoding: z.enum(encodings).optional(),
  /** The text that begins the comment lines of a table, which are skipped. */
  comment: z.string().optional(),
  /** The number of lines before the first row of a table. */
  skipRows: z.int().nonnegative().optional(),
  /**
   * Is true where the first row holds the columns' names (the default). Without names, columns are called 1, 2, 3, …
   */
  header: z.boolean().optional(),
  /** The array of inputs in a `.npz` file, where its name does not tell. */
  inputs: z.string().optional(),
  /**
   * The position of the channels of images in arrays: before or behind rows and columns. Default: inferred from their
   * sizes.
   */
  layout: z.enum(['NCHW', 'NHWC']).optional(),
  /** The size in pixels to which every image is scaled. Default: their own size, if all have the same. */
  size: z.strictObject({ rows: z.int().positive(), columns: z.int().positive() }).readonly().optional(),
  /** The channels of images: 1 for grey, 3 for red, green and blue. Default: grey if all images are. */
  channels: z.literal([1, 3]).optional(),
  /**
   * The way in which an image of another aspect ratio is fitted to the size: `stretch` distorts it (the default),
   * `cover` takes its middle, `contain` puts the whole image on the background.
   */
  fit: z.enum(fits).optional(),
  /** The colour behind transparent pixels, and around an image that is contained. Default: white, `#ffffff`. */
  background: colourSchema.optional(),
  /**
   * The kind of images: plain, or drawings to be cropped and centred like MNIST's digits. Default: plain, except for
   * MNIST.
   */
  pictures: z.enum(['plain', 'drawing']).optional(),
  /** Leaves out images that cannot be decoded; by default they are refused. */
  skipBroken: z.boolean().optional(),
  /**
   * The shares of the samples kept for validation and test. Default: 0.1 each, and at least one sample. IDX files come
   * with a test set of their own.
   */
  validationShare: share,
  testShare: share,
});

export type DataSource = Readonly<z.output<typeof dataSourceSchema>>;

/** The options of a source that concern images. */
export type ImageOptions = Pick<DataSource, 'size' | 'channels' | 'fit' | 'background' | 'pictures' | 'skipBroken'>;
export type ImageSize = NonNullable<DataSource['size']>;
