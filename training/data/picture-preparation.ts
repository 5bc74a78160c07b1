/** The schema of a model's picture preparation, as a checkpoint or a card stores it. */
import * as z from 'zod';
import type { PicturePreparation } from '../pictures/index.ts';

const side = z.int().positive();

export const fits = ['stretch', 'cover', 'contain'] as const;
export const colourSchema = z.string().regex(/^#[0-9a-f]{6}$/, {
  error: ({ input }) => `expected a colour #rrggbb, got ${JSON.stringify(input)}`,
});

/** The members that the schema of pictures in cards of other models shares. */
export const pictureMembers = {
  size: z.strictObject({ rows: side, columns: side }).readonly(),
  filter: z.literal('triangle'),
  fit: z.enum(fits),
  background: colourSchema,
  drawing: z.boolean(),
  values: z.tuple([z.number(), z.number()]).readonly().nullable(),
};

export const pictureSchema = z
  .strictObject({
    ...pictureMembers,
    channels: z.literal([1, 3]),
    drawing: pictureMembers.drawing.exactOptional(),
    values: pictureMembers.values.exactOptional(),
  })
  .readonly() satisfies z.ZodType<PicturePreparation>;
