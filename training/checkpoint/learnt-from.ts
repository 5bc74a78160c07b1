/** Tells what a network has learnt from besides its training part. */
import type { TrainingRecord } from './record.ts';

/**
 * Is true where a network was also trained on the validation part, for the number of steps that other runs had shown to
 * be best. Its scores there then say nothing about other data.
 */
export function hasLearntFromValidation(record: Pick<TrainingRecord, 'config'> | undefined): boolean {
  return record?.config.stopAfter !== undefined;
}
