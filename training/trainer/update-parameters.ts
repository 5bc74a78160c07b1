/** Emits the update of the parameters: clipping, weight decay and the optimizer, as graph nodes. */
import { at } from '../arrays/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import type { TensorSpec } from '../network/index.ts';
import { clipByGlobalNorm } from '../optimizer/index.ts';
import { slotName } from './state.ts';
import { type NamedValues, type UpdateInputs, type UpdateOptions, valueOf } from './update-inputs.ts';

/**
 * Emits the parameters and their optimizer's slots after the step.
 *
 * @param gradients by the names of the parameters
 */
export function updateParameters(
  g: GraphBuilder,
  trained: readonly TensorSpec[],
  gradients: NamedValues,
  inputs: UpdateInputs,
  options: UpdateOptions,
): NamedValues {
  const { clipNorm } = options;
  const raw = trained.map(({ name }) => valueOf(gradients, name));
  const clipped = clipNorm === undefined ? raw : g.scoped('clip', () => clipByGlobalNorm(g, raw, clipNorm));
  const updates = trained.flatMap((spec, i) =>
    g.scoped(`${spec.name}/update`, () => updateParameter(g, spec, at(clipped, i), inputs, options)),
  );
  return new Map(updates);
}

function updateParameter(
  g: GraphBuilder,
  { name, role }: TensorSpec,
  gradient: Value,
  { state, scalars }: UpdateInputs,
  { optimizer, weightDecay }: UpdateOptions,
): readonly (readonly [string, Value])[] {
  const theta = valueOf(state, name);
  const decay = role.kind === 'weight' && weightDecay ? optimizer.weightDecay : undefined;
  const after = optimizer.update(g, {
    parameter: decay === 'decoupled' ? g.Mul(theta, valueOf(scalars, 'weights_kept')) : theta,
    gradient: decay === 'l2' ? g.Add(gradient, g.Mul(theta, g.scalar(weightDecay ?? 0))) : gradient,
    slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, valueOf(state, slotName(name, slot))])),
    scalars: Object.fromEntries(scalars),
  });
  const slots = Object.entries(after.slots).map(([slot, value]) => [slotName(name, slot), value] as const);
  return [[name, after.parameter], ...slots];
}
