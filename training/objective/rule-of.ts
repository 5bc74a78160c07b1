/** Finds the rule of an objective, and checks that the objective fits a network and its data. */
import { classesOf, type Dataset } from '../data/index.ts';
import { formatShape, GraphError, sameShape } from '../graph/index.ts';
import type { Objective, ObjectiveKind } from './objective.ts';
import type { ObjectiveRule } from './rule.ts';
import { objectiveRules } from './rules/index.ts';

export const objectiveKinds = Object.keys(objectiveRules) as readonly ObjectiveKind[];

/**
 * Returns the rule of an objective. Its functions require the kind of data that it is for, which `objectiveRuleFor`
 * checks.
 */
export const objectiveRuleOf = ({ kind }: Pick<Objective, 'kind'>): ObjectiveRule<ObjectiveKind> =>
  objectiveRules[kind] as unknown as ObjectiveRule<ObjectiveKind>;

/**
 * Returns the rule of an objective for a data set.
 *
 * @throws GraphError when the objective is for another kind of data
 */
export function objectiveRuleFor(objective: Pick<Objective, 'kind'>, dataset: Dataset): ObjectiveRule<ObjectiveKind> {
  const rule = objectiveRuleOf(objective);
  if (rule.task === dataset.task) return rule;
  const classes = classesOf(dataset).length;
  const got = classes > 0 ? `${classes} classes` : 'numbers';
  throw new GraphError(`objective ${objective.kind}: expected data for ${rule.task}, got ${got}`);
}

/**
 * Checks that an objective fits a network and its data.
 *
 * @param outputShape the shape of the network's output for a sample
 * @throws GraphError when the objective does not fit the network or the data
 */
export function checkObjective(objective: Objective, outputShape: readonly number[], dataset: Dataset): void {
  const { classes: wanted, outputs } = objectiveRuleFor(objective, dataset);
  const classes = classesOf(dataset).length;
  const where = `objective ${objective.kind}`;
  if (wanted !== undefined && classes !== wanted) {
    throw new GraphError(`${where}: expected ${wanted} classes, got ${classes}`);
  }
  const shape = [outputs(classes)];
  if (!sameShape(outputShape, shape)) {
    throw new GraphError(
      `${where}: expected a network that ends in ${formatShape(shape)}, got ${formatShape(outputShape)}`,
    );
  }
}
