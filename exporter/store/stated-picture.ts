/**
 * The part of a card that says how pictures become an input: all of it, as an export writes it, or only what the file
 * does not state, or the name of a preset alone.
 */
import * as z from 'zod';
import { pictureMembers } from '../../training/data/index.ts';

/** Names ways to turn bytes into numbers. `imagenet` is torchvision's evaluation, and sets the fit as well. */
export const presets = ['imagenet', '[0,1]', '[-1,1]', 'raw'] as const;

export type Preset = (typeof presets)[number];

const channelWords = ['grey', 'RGB', 'BGR', 'RGBA'] as const;

const { size, filter, fit, background, drawing, values } = pictureMembers;

/** More than a picture of 12 megapixels has on a side. */
const LONGEST_SIDE = 8192;
const side = z.int().positive().max(LONGEST_SIDE);

const one = z.number();
const divisor = z.number().positive();
const scale = z.number().refine((value) => value !== 0, { error: 'expected a number other than 0, got 0' });

const members = z.strictObject({
  preset: z.enum(presets).exactOptional(),
  layout: z.enum(['NCHW', 'NHWC']).exactOptional(),
  /** A single number stands for the rows and the columns of a square. */
  size: z
    .preprocess((value) => (typeof value === 'number' ? { rows: value, columns: value } : value), size)
    .pipe(z.strictObject({ rows: side, columns: side }).readonly())
    .exactOptional(),
  channels: z.literal([1, 3, 4, ...channelWords]).exactOptional(),
  fit: fit.exactOptional(),
  /** The length of the shorter side before `cover` cuts the middle out. */
  resize: side.exactOptional(),
  /**
   * A byte becomes (byte · scale − mean) / std. mean and std are one number for all channels, or one for each in their
   * order.
   */
  scale: z.preprocess((value) => (value === '1/255' ? 1 / 255 : value), scale).exactOptional(),
  mean: z.preprocess(listed, z.array(one).min(1).readonly()).exactOptional(),
  std: z.preprocess(listed, z.array(divisor).min(1).readonly()).exactOptional(),
  background: background.exactOptional(),
  drawing: drawing.exactOptional(),
  /** The numbers that the bytes 0 and 255 become, as an export writes them. */
  values: values.exactOptional(),
  /** Only the cards of exports have it, and these state everything. */
  filter: filter.exactOptional(),
});

function listed(value: unknown): unknown {
  return typeof value === 'number' ? [value] : value;
}

export const statedPicture = z
  .preprocess((value) => (typeof value === 'string' ? { preset: value } : value), members)
  .readonly();

export type StatedPicture = z.output<typeof statedPicture>;
