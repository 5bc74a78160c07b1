/** Chooses the objective by the command line. */
import { at } from '../arrays/index.ts';
import { countLabels, type Dataset } from '../data/index.ts';
import { oneLine, percent, quote, unexpected } from '../files/index.ts';
import {
  type Objective,
  objectiveFor,
  type ObjectiveKind,
  objectiveKinds,
  type ObjectiveOptions,
  objectiveRuleFor,
  objectiveRuleOf,
} from '../objective/index.ts';

export interface ObjectiveFlags extends ObjectiveOptions {
  /** Default: the objective that fits the data. */
  readonly objective?: ObjectiveKind | undefined;
}

/**
 * Returns the objective of a run.
 *
 * @throws UserError for an option that the objective does not take
 * @throws GraphError for an objective that is for another kind of data
 */
export function chooseObjective({ objective, ...options }: ObjectiveFlags, data: Dataset): Objective {
  const { kind } = objective ? { kind: objective } : objectiveFor(data);
  for (const [option, value] of Object.entries(options) as [keyof ObjectiveOptions, unknown][]) {
    const takers = objectiveKinds.filter((kind) => objectiveRuleOf({ kind }).options.includes(option));
    if (value && !takers.includes(kind)) throw unexpected(flagOf(option), `an objective of ${takers.join(', ')}`, kind);
  }
  return objectiveRuleFor({ kind }, data).create(options, data);
}

/** A class is rare where it has less than a tenth of an even share. */
const RARE = 0.1;

/** Returns a note where a class is rare and not weighted, since the accuracy hides it. */
export function notesOnRarity(objective: Objective, train: Dataset): readonly string[] {
  if (train.task !== 'classification' || objective.kind !== 'multiclass' || objective.classWeights) return [];
  const { classes, labels } = train;
  const counts = countLabels(labels, classes.length);
  const rarest = counts.reduce((min, some, k) => (some < at(counts, min) ? k : min), 0);
  const share = at(counts, rarest) / labels.length;
  if (share * classes.length >= RARE) return [];
  const tell = classes.length === 2 ? '; export --threshold f1, or --cost, tells it more often' : '';
  return [
    oneLine(
      `${quote(at(classes, rarest))} is ${percent(share)} of the training samples, which accuracy hardly shows: --balance-classes weighs rare classes${tell}`,
    ),
  ];
}

/** Returns the flag of an option: `labelSmoothing` is `--label-smoothing`. */
const flagOf = (option: string): string => `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
