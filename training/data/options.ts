/**
 * Where data come from and how they are read, as plain data: it is kept with what was trained on them, so that whoever
 * exports or evaluates that reads the same samples again.
 */
import * as z from 'zod';
import { colourSchema, fits } from './picture-preparation.ts';
import { encodings } from './encodings.ts';

const share = z.number().min(0).lt(1).optional();

export const dataSourceSchema = z.strictObject({
  /** A file or a folder; MNIST from its package when omitted. */
  path: z.string().optional(),
  /** What to predict: a table's column, the array in a `.npz` file (where its name does not tell), or the labels' own `.npy` file. */
  label: z.string().optional(),
  /** Without it, a label of words, or of at most 20 different whole numbers, is a class; any other is a number to predict. */
  task: z.enum(['classification', 'regression']).optional(),
  /** By column, what stands in for the missing values of a table; by default the median, and a place of its own among categories. */
  impute: z.record(z.string(), z.string()).readonly().optional(),
  /** The same for all other columns of numbers; `refuse` allows no gaps in any. */
  imputeOthers: z.string().optional(),
  /** What a column holds, where its cells do not tell: it is of the kind that nine in ten of them are. */
  kinds: z
    .record(z.string(), z.enum(['numeric', 'categorical', 'date', 'ignored']))
    .readonly()
    .optional(),
  /** Whether rows of a table without a label are left out; they are refused otherwise. */
  dropMissingLabels: z.boolean().optional(),
  /** Between the cells of a table, a blank for any number of them. Default: what the beginning of the file tells. */
  delimiter: z.string().optional(),
  /** Around the cells of a table, `none` where quotes are signs like any other. Default: what the beginning of the file tells. */
  quote: z.string().optional(),
  /** Before the fractions in a table. Default: what the beginning of the file tells. */
  decimal: z.enum(['.', ',']).optional(),
  /** Of a table in text. Default: UTF-8, or UTF-16 as the first bytes tell. */
  encoding: z.enum(encodings).optional(),
  /** Begins lines of a table that are left out. */
  comment: z.string().optional(),
  /** Lines before the first row of a table. */
  skipRows: z.int().nonnegative().optional(),
  /** Whether the first row holds the columns' names (the default); without names they are called 1, 2, 3, … */
  header: z.boolean().optional(),
  /** The array of inputs in a `.npz` file, where its name does not tell. */
  inputs: z.string().optional(),
  /** Whether images in arrays have their channels in front of rows and columns or behind; by default as their sizes tell. */
  layout: z.enum(['NCHW', 'NHWC']).optional(),
  /** Pixels to which every image is brought; default: their own, if all have the same. */
  size: z.strictObject({ rows: z.int().positive(), columns: z.int().positive() }).readonly().optional(),
  /** Of images: 1 for grey, 3 for red, green and blue; default: grey if all images are. */
  channels: z.literal([1, 3]).optional(),
  /** How an image of another shape comes to the size: whole and distorted (the default), its middle, or whole on the background. */
  fit: z.enum(fits).optional(),
  /** Behind transparent pixels, and around a picture that is contained; default: white, `#ffffff`. */
  background: colourSchema.optional(),
  /** Plain as they are, or drawings that are framed and centred as MNIST's are; default: plain, but for MNIST. */
  pictures: z.enum(['plain', 'drawing']).optional(),
  /** Leaves out images that cannot be decoded, which are refused otherwise. */
  skipBroken: z.boolean().optional(),
  /** Shares of the samples kept for validation and test, default 0.1 each, and at least one of each; IDX files bring a test set of their own. */
  validationShare: share,
  testShare: share,
});

export type DataSource = Readonly<z.output<typeof dataSourceSchema>>;

/** What a source says of images. */
export type ImageOptions = Pick<DataSource, 'size' | 'channels' | 'fit' | 'background' | 'pictures' | 'skipBroken'>;
export type ImageSize = NonNullable<DataSource['size']>;
