/** The objective of the command line. */
import type { Dataset } from '../data/index.ts';
import { unexpected } from '../files/index.ts';
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
  /** When omitted, what fits the data. */
  readonly objective?: ObjectiveKind | undefined;
}

/**
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

/** `labelSmoothing` is `--label-smoothing`. */
const flagOf = (option: string): string => `--${option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
