/**
 * One training step as graph nodes: forward pass, loss, gradients, the optimizer's update, and the running statistics.
 */
import { gradients } from '../autodiff/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import { emitForward, isTrained, type Plan, tensorsOf } from '../network/index.ts';
import { emitRunningAverage, type Optimizer } from '../optimizer/index.ts';

export type NamedValues = ReadonlyMap<string, Value>;

export interface StepOptions {
  readonly optimizer: Optimizer;
  /** The share of the old running statistics kept. */
  readonly bnMomentum: number;
  readonly seed: number;
}

export interface StepInputs {
  /** Raw samples `[B, ..]`. */
  readonly x: Value;
  /** Class indices `[B]`. */
  readonly labels: Value;
  /** The network's tensors and the optimizer's slots. */
  readonly state: NamedValues;
  readonly scalars: readonly Value[];
  /** Counts all steps of the run, an int64 scalar. */
  readonly step: Value;
}

export interface StepOutputs {
  /** What the step changes, under the names it came by. */
  readonly state: NamedValues;
  /** Mean cross-entropy of the mini-batch, a scalar. */
  readonly loss: Value;
  /** How many samples of the mini-batch are classified correctly, a scalar. */
  readonly correct: Value;
}

/** The name of an optimizer's state tensor for a parameter: `conv1.weight/exp_avg`. */
export const slotName = (parameter: string, slot: string): string => `${parameter}/${slot}`;

export function emitStep(g: GraphBuilder, plan: Plan, inputs: StepInputs, options: StepOptions): StepOutputs {
  const { output, batchStatistics } = emitForward(g, plan, inputs.x, {
    mode: 'train',
    tensors: inputs.state,
    randomKey: { seed: options.seed, step: inputs.step },
  });
  const [loss] = g.SoftmaxCrossEntropyLoss(output, inputs.labels, { reduction: 'mean' });
  const trained = tensorsOf(plan).filter(isTrained);
  const parameters = trained.map(({ name }) => valueOf(inputs.state, name));
  const state = new Map<string, Value>();
  gradients(g, loss, parameters).forEach((gradient, i) => {
    const name = trained[i]?.name ?? '';
    g.scoped(`${name}/update`, () => {
      emitUpdate(g, name, gradient, inputs, options.optimizer, state);
    });
  });
  for (const [layer, { mean, variance }] of batchStatistics) {
    for (const [name, batch] of [
      [`${layer}.running_mean`, mean],
      [`${layer}.running_var`, variance],
    ] as const) {
      const average = () => emitRunningAverage(g, valueOf(inputs.state, name), batch, options.bnMomentum);
      state.set(name, g.scoped(`${name}/update`, average));
    }
  }
  return { state, loss, correct: emitCorrect(g, output, inputs.labels) };
}

/** Σ over samples of 1[argmax logits = label]. */
export function emitCorrect(g: GraphBuilder, logits: Value, labels: Value): Value {
  const predicted = g.ArgMax(logits, { axis: 1, keepdims: 0 });
  const hits = g.Cast(g.Equal(predicted, g.Cast(labels, { to: 'int64' })), { to: 'float32' });
  return g.ReduceSum(hits, g.ints([0]), { keepdims: 0 });
}

function emitUpdate(
  g: GraphBuilder,
  name: string,
  gradient: Value,
  { state, scalars }: StepInputs,
  { slots, update }: Optimizer,
  next: Map<string, Value>,
): void {
  const before = { parameter: valueOf(state, name), slots: slots.map((slot) => valueOf(state, slotName(name, slot))) };
  const after = update(g, before, gradient, scalars);
  next.set(name, after.parameter);
  slots.forEach((slot, i) => {
    const value = after.slots[i];
    if (value) next.set(slotName(name, slot), value);
  });
}

export function valueOf(values: NamedValues, name: string): Value {
  const value = values.get(name);
  if (!value) throw new Error(`internal: ${name} is not in the state`);
  return value;
}
