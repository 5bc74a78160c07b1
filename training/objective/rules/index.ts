/** The rule of every kind of objective. */
import { formatShape, GraphError, sameShape } from '../../graph/index.ts';
import { binary, multiclass } from './classification.ts';
import type { Objective, ObjectiveKind } from '../objective.ts';
import { huber, mse } from './regression.ts';
import type { ObjectiveRule } from '../rule.ts';

const objectiveRules: { readonly [K in ObjectiveKind]: ObjectiveRule<K> } = { multiclass, binary, mse, huber };

export const objectiveRuleOf = ({ kind }: Objective): ObjectiveRule<ObjectiveKind> =>
  objectiveRules[kind] as unknown as ObjectiveRule<ObjectiveKind>;

/**
 * @param outputShape what the network gives for a sample
 * @param classes how many the data set has; 0 for numbers
 * @throws GraphError when the objective does not fit the network or the data
 */
export function checkObjective(objective: Objective, outputShape: readonly number[], classes: number): void {
  const { task, outputs } = objectiveRuleOf(objective);
  const where = `objective ${objective.kind}`;
  if (classes > 0 !== (task === 'classification')) {
    throw new GraphError(`${where}: expected data for ${task}, got ${classes > 0 ? `${classes} classes` : 'numbers'}`);
  }
  if (objective.kind === 'binary' && classes !== 2)
    throw new GraphError(`${where}: expected 2 classes, got ${classes}`);
  const shape = [outputs(classes)];
  if (!sameShape(outputShape, shape)) {
    throw new GraphError(
      `${where}: expected a network that ends in ${formatShape(shape)}, got ${formatShape(outputShape)}`,
    );
  }
}
