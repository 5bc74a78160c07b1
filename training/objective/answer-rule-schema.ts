/** The schema of the options that say how outputs are read as answers. */
import * as z from 'zod';
import type { AnswerRuleOptions } from './fit-answer-rule.ts';

const share = z.number().gt(0).lt(1);
const cost = z.number().positive();

export const answerRuleSchema = z.strictObject({
  threshold: z
    .strictObject({
      rule: z.union([z.literal('f1'), z.strictObject({ fp: cost, fn: cost }), share]),
      positive: z.string().optional(),
    })
    .optional(),
  interval: z.union([share, z.literal(false)]).optional(),
}) satisfies z.ZodType<AnswerRuleOptions>;
