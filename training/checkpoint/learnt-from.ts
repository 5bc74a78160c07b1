/** What a network has learnt from, beside its training part. */
import type { TrainingRecord } from './record.ts';

/**
 * Whether a network has learnt from the validation part as well, for as many steps as others had shown to be best: how it answers there then
 * says nothing of how it answers elsewhere.
 */
export function hasLearntFromValidation(record: Pick<TrainingRecord, 'config'> | undefined): boolean {
  return record?.config.stopAfter !== undefined;
}
