/** The loss of a mini-batch, with one answer for each sample or with the answers of several members. */
import { type GraphBuilder, knownSizes, type Value } from '../graph/index.ts';
import type { Objective } from './objective.ts';
import { objectiveRuleOf } from './rule-of.ts';

/**
 * Emits the objective's mean over `[B, outputs]`, or over the members of `[B, members, outputs]`. The latter is the
 * mean of the members' own losses, not the loss of their mean, so that each learns as it would alone.
 */
export function emitMeanLoss(g: GraphBuilder, objective: Objective, answers: Value, targets: Value): Value {
  const { emitLoss } = objectiveRuleOf(objective);
  if (answers.shape.length === 2) return emitLoss(g, objective, answers, targets);
  const [samples = 0, members = 0, outputs = 0] = knownSizes(answers.shape);
  const each = Array.from({ length: samples * members }, (_, row) => Math.floor(row / members));
  return emitLoss(
    g,
    objective,
    g.Reshape(answers, g.ints([samples * members, outputs])),
    g.Gather(targets, g.ints(each), { axis: 0 }),
  );
}
