/** Holds the kinds of values that answers are made of. */
import * as z from 'zod/mini';

export const text = z.string();
export const count = z.int().check(z.nonnegative());
/** A number, or null for NaN and infinities, which JSON does not have. */
export const real = z.nullable(z.number());
export const channelwise = z.readonly(z.array(real)).check(z.describe('One value per channel, [C].'));
export const list = <Item extends z.ZodMiniType>(item: Item) => z.readonly(z.array(item));
export const described = <Schema extends z.ZodMiniType>(schema: Schema, text: string): Schema =>
  schema.check(z.describe(text));
