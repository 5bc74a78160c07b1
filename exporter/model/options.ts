/**
 * Validates the options that programs pass to an export or an addition: a caller without types gets the same errors as
 * on the command line.
 */
import * as z from 'zod';
import { backendNames } from '../../training/backend/index.ts';
import { dataSourceSchema } from '../../training/data/index.ts';
import { networkSchema } from '../../training/network/index.ts';
import { answerRuleSchema } from '../../training/objective/index.ts';
import { batchNormUses } from '../served/normalization.ts';

const models = z.string().default('models');

export const exportOptionsSchema = z.strictObject({
  checkpoint: z.string(),
  name: z.string(),
  models,
  statistics: z.enum(['running', 'population']).optional(),
  explain: z.boolean().optional(),
  overwrite: z.boolean().optional(),
  network: networkSchema.optional(),
  data: dataSourceSchema.optional(),
  reading: answerRuleSchema.optional(),
  backend: z.enum(backendNames).default('native'),
});

export const addOptionsSchema = z.strictObject({
  file: z.string(),
  name: z.string().optional(),
  models,
  batchNorm: z.enum(batchNormUses).optional(),
  overwrite: z.boolean().optional(),
});
