/**
 * Builds one training step as a graph of its own, for an engine that iterates by itself and keeps the state. It is the
 * body of the Loop (loop-graph.ts) except that the mini-batch is an input.
 */
import { at } from '../../arrays/index.ts';
import { checkGraph, type Graph, graphBuilder, type TensorType } from '../../graph/index.ts';
import { dataTensorsOf, outputShapeOf, type Plan } from '../../network/index.ts';
import { multiclass, objectiveRuleOf } from '../../objective/index.ts';
import { carriedState } from '../state.ts';
import { emitStep, type StepOptions } from '../step.ts';
import { scalarNames } from '../update-inputs.ts';

/** Returns the name of the output that holds a tensor's value after the step. */
export const afterName = (name: string): string => `after/${name}`;

/** Returns the name of the input that holds one of the host's numbers for a step. */
export const scalarName = (name: string): string => `scalar/${name}`;

/**
 * Builds the graph. Its inputs are `x [batchSize, ..]` in float32, `targets [batchSize, ..]`, `step` (counts from 0),
 * `scalar/<name>` for each of `scalarNames`, and every tensor of the network and the optimizer by name. Its outputs are
 * `after/<name>` for what the step changes, `loss` and `score`.
 */
export function stepGraph(plan: Plan, options: StepOptions & { readonly batchSize: number }): Graph {
  const g = graphBuilder();
  const { batchSize, objective = multiclass() } = options;
  const { targets } = objectiveRuleOf(objective);
  const outputs = at(outputShapeOf(plan), 0);
  const float32 = (shape: readonly number[]): TensorType => ({ dtype: 'float32', shape });
  const carried = [...carriedState(plan, options)].map(
    ([name, shape]) => [name, g.input(name, float32(shape))] as const,
  );
  const fixed = dataTensorsOf(plan).map(({ name, shape }) => [name, g.input(name, float32(shape))] as const);
  const scalars = scalarNames(options).map((name) => [name, g.input(scalarName(name), float32([]))] as const);
  const { state, loss, score } = emitStep(
    g,
    plan,
    {
      x: g.input('x', float32([batchSize, ...plan.network.inputShape])),
      targets: g.input('targets', { dtype: targets.dtype, shape: [batchSize, ...targets.shape(outputs)] }),
      step: g.input('step', { dtype: 'int64', shape: [] }),
      state: new Map([...fixed, ...carried]),
      scalars: new Map(scalars),
    },
    options,
  );
  const after = carried.map(([name, value]) => [afterName(name), g.Identity(state.get(name) ?? value)] as const);
  return checkGraph(g.build(`step of ${plan.network.name}`, { ...Object.fromEntries(after), loss, score }));
}
