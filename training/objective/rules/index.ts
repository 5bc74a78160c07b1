/** The rules of all kinds of objectives. A rule added here is known everywhere. */
import type { Dataset } from '../../data/index.ts';
import type { ObjectiveKind } from '../objective.ts';
import type { ObjectiveRule } from '../rule.ts';
import * as classification from './classification.ts';
import * as regression from './regression.ts';

/** A rule is for one kind of data. */
type RuleOf<K extends ObjectiveKind> = {
  readonly [T in Dataset['task']]: ObjectiveRule<K, Extract<Dataset, { task: T }>>;
}[Dataset['task']];

export const objectiveRules: { readonly [K in ObjectiveKind]: RuleOf<K> } = { ...classification, ...regression };
