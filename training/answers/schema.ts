/**
 * Schemas for the members of a card that say how answers are read and how good they are. quality.ts explains the
 * members.
 */
import * as z from 'zod';
import type { Calibration, Importance, Interval, Thresholds } from './quality.ts';

const share = z.number().min(0).max(1);
const level = z.number().gt(0).lt(1);

export const thresholdsSchema = z.record(z.string(), share).readonly() satisfies z.ZodType<Thresholds>;

export const intervalSchema = z
  .strictObject({ level, halfWidth: z.number().nonnegative(), coverage: share.exactOptional() })
  .readonly() satisfies z.ZodType<Interval>;

const bin = z.strictObject({
  from: share,
  to: share,
  samples: z.int().positive(),
  confidence: share,
  accuracy: share,
});

export const calibrationSchema = z
  .strictObject({ error: share, bins: z.array(bin.readonly()).readonly() })
  .readonly() satisfies z.ZodType<Calibration>;

export const importanceSchema = z
  .strictObject({
    measure: z.string(),
    rows: z.int().positive(),
    repeats: z.int().positive(),
    columns: z
      .array(z.strictObject({ name: z.string(), mean: z.number(), deviation: z.number().nonnegative() }).readonly())
      .readonly(),
  })
  .readonly() satisfies z.ZodType<Importance>;
