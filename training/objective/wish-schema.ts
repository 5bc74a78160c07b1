/** The schema of a user's wish for how answers are read. */
import * as z from 'zod';
import type { ReadingWish } from './fit.ts';

const share = z.number().gt(0).lt(1);
const cost = z.number().positive();

export const readingWishSchema = z.strictObject({
  threshold: z
    .strictObject({
      rule: z.union([z.literal('f1'), z.strictObject({ fp: cost, fn: cost }), share]),
      positive: z.string().optional(),
    })
    .optional(),
  interval: z.union([share, z.literal(false)]).optional(),
}) satisfies z.ZodType<ReadingWish>;
