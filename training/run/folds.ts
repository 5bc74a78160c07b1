/** Whether others are asked how long to learn, and which, where a run does not say. */
import type { LoadedData } from '../data/index.ts';
import { count, unexpected } from '../files/index.ts';
import type { RunConfig } from './snapshot-file.ts';

/** A validation part of fewer rows chooses by chance. */
const minValidation = 30;
const usualFolds = 5;
/** Fewer rows are an example, of which nothing is chosen. */
const minRows = 20;

export interface FoldFlags {
  readonly folds: number | undefined;
  readonly refit: boolean | undefined;
  readonly from: string | undefined;
  readonly config: RunConfig;
}

/**
 * @param note is told where folds take the place of a validation part that is too small
 * @returns 0 where the validation part chooses the epoch; 1 where it chooses how long the network learns from it, too; or how many folds do
 * @throws UserError for flags that contradict each other or the data
 */
export function chooseFolds(
  { folds, refit = false, from, config }: FoldFlags,
  data: LoadedData,
  note: (line: string) => void,
): number {
  const { train, validation, test, columns } = data;
  if (folds !== undefined && folds > 1) {
    if (refit) throw unexpected('--refit', 'no --folds beside it, which refit', folds);
    return folds;
  }
  if (refit) {
    if (validation.count === 0) throw unexpected('--refit', 'validation samples to go by (--validation-share)', 'none');
    return 1;
  }
  const asked =
    folds !== undefined || from !== undefined || config.keep !== undefined || config.earlyStopping !== undefined;
  const rows = train.count + validation.count;
  const isExample = rows + test.count < minRows;
  if (asked || !columns || validation.count === 0 || validation.count >= minValidation || isExample) return 0;
  note(
    `${count(validation.count)} validation rows are too few to choose an epoch by: ${usualFolds} folds choose it, and the network learns from all ${count(rows)}; --folds 1 goes by the validation part`,
  );
  return usualFolds;
}
