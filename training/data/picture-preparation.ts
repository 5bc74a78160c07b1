/** How a model's pictures are prepared, as it stands in a checkpoint or a card. */
import * as z from 'zod';
import type { PicturePreparation } from '../pictures/index.ts';

const side = z.int().positive();

export const fits = ['stretch', 'cover', 'contain'] as const;
export const colourSchema = z.string().regex(/^#[0-9a-f]{6}$/, {
  error: ({ input }) => `expected a colour #rrggbb, got ${JSON.stringify(input)}`,
});

export const pictureSchema = z
  .strictObject({
    size: z.strictObject({ rows: side, columns: side }).readonly(),
    channels: z.literal([1, 3]),
    filter: z.literal('triangle'),
    fit: z.enum(fits),
    background: colourSchema,
    drawing: z.boolean().exactOptional(),
    values: z.tuple([z.number(), z.number()]).readonly().nullable().exactOptional(),
  })
  .readonly() satisfies z.ZodType<PicturePreparation>;
