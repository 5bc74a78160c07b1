/** The objective of the command line. */
import { classWeights, type Dataset, targetStatistics } from '../data/index.ts';
import { unexpected } from '../files/errors.ts';
import {
  binary,
  huber,
  mse,
  multiclass,
  type Objective,
  objectiveFor,
  type ObjectiveKind,
} from '../objective/index.ts';

export const objectiveNames = ['multiclass', 'binary', 'mse', 'huber'] as const satisfies readonly ObjectiveKind[];

export interface ObjectiveFlags {
  /** When omitted, what fits the data. */
  readonly objective?: ObjectiveKind | undefined;
  readonly labelSmoothing?: number | undefined;
  readonly balanceClasses?: boolean | undefined;
  readonly huberDelta?: number | undefined;
}

/** @throws UserError for a setting that the objective does not have */
export function chooseObjective(flags: ObjectiveFlags, data: Dataset): Objective {
  const { labelSmoothing, balanceClasses, huberDelta } = flags;
  const kind = flags.objective ?? objectiveFor(data).kind;
  const refuse = (flag: string, of: string) => unexpected(flag, `an objective of ${of}`, kind);
  if (kind !== 'multiclass' && labelSmoothing) throw refuse('--label-smoothing', 'multiclass');
  if (kind !== 'multiclass' && balanceClasses) throw refuse('--balance-classes', 'multiclass');
  if (kind !== 'huber' && huberDelta !== undefined) throw refuse('--huber-delta', 'huber');
  const weighted = balanceClasses && data.task === 'classification';
  const settings = { labelSmoothing, classWeights: weighted ? [...classWeights(data)] : undefined };
  const numbers = { unit: unitOf(data) };
  return {
    multiclass: () => multiclass(settings),
    binary,
    mse: () => mse(numbers),
    huber: () => huber(huberDelta, numbers),
  }[kind]();
}

/** The standard deviation of the numbers to predict, where they vary. */
function unitOf(data: Dataset): number | undefined {
  if (data.task !== 'regression') return undefined;
  const [variance = 0] = targetStatistics(data).variance;
  return variance > 0 ? Math.sqrt(variance) : undefined;
}
