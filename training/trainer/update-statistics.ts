/**
 * Emits the update of running averages as graph nodes: Batch Norm's running means and variances, and the averages of
 * the weights. The formula is `emitAverage` in `optimizer/running-averages.ts`.
 */
import type { GraphBuilder } from '../graph/index.ts';
import type { BatchStatistics, TensorSpec } from '../network/index.ts';
import { emitAverage, unbiasedVariance } from '../optimizer/index.ts';
import { averageName } from './state.ts';
import { type NamedValues, type UpdateInputs, type UpdateOptions, valueOf } from './update-inputs.ts';

/** Emits the mini-batch's means and variances, by the names of the running ones. */
export function emitStatistics(
  g: GraphBuilder,
  batchStatistics: ReadonlyMap<string, BatchStatistics>,
  { bnVariance }: Pick<UpdateOptions, 'bnVariance'>,
): NamedValues {
  return new Map(
    [...batchStatistics].flatMap(([layer, { z, mean, variance }]) => {
      const name = `${layer}.running_var`;
      const unbiased = () => g.scoped(`${name}/update`, () => unbiasedVariance(g, variance, z));
      return [
        [`${layer}.running_mean`, mean] as const,
        [name, bnVariance === 'unbiased' ? unbiased() : variance] as const,
      ];
    }),
  );
}

/** Emits the running means and variances after the step. */
export function updateStatistics(g: GraphBuilder, batch: NamedValues, { state, scalars }: UpdateInputs): NamedValues {
  const [kept, fresh] = [valueOf(scalars, 'statistics_kept'), valueOf(scalars, 'statistics_fresh')];
  return new Map(
    [...batch].map(([name, value]) => [
      name,
      g.scoped(`${name}/update`, () => emitAverage(g, valueOf(state, name), value, kept, fresh)),
    ]),
  );
}

/** Emits the averages, under their own names, of the tensors after the step. */
export function updateAverages(
  g: GraphBuilder,
  tensors: readonly TensorSpec[],
  changed: NamedValues,
  { state, scalars }: UpdateInputs,
): NamedValues {
  const [kept, fresh] = [valueOf(scalars, 'average_kept'), valueOf(scalars, 'average_fresh')];
  return new Map(
    tensors.map(({ name }) => {
      const old = valueOf(state, averageName(name));
      const value = changed.get(name) ?? valueOf(state, name);
      return [averageName(name), g.scoped(`${name}/average`, () => emitAverage(g, old, value, kept, fresh))];
    }),
  );
}
