/** Decides whether a run searches for the length of training with other networks, and with how many folds. */
import type { LoadedData } from '../data/index.ts';
import { count, unexpected } from '../files/index.ts';
import type { RunConfig } from './snapshot-file.ts';

/** The minimum number of validation rows; fewer would choose an epoch by chance. */
const minValidation = 30;
const defaultFolds = 5;
/** The minimum number of rows of a real data set; in an example of fewer rows, nothing is searched. */
const minRows = 20;

export interface FoldFlags {
  readonly folds: number | undefined;
  readonly refit: boolean | undefined;
  readonly from: string | undefined;
  readonly config: RunConfig;
}

/**
 * Returns how the length of training is chosen.
 *
 * @param note receives a line where folds replace a validation part that is too small
 * @returns 0 where the validation part only chooses the epoch; 1 where it determines the length, and the network then
 * learns from it too; otherwise the number of folds
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
    `${count(validation.count)} validation rows are too few to choose an epoch by: ${defaultFolds} folds choose it, and the network learns from all ${count(rows)}; --folds 1 goes by the validation part`,
  );
  return defaultFolds;
}
