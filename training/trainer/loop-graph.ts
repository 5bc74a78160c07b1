/**
 * Builds many training steps as one ONNX graph: a `Loop` whose every iteration gathers a mini-batch by index from the
 * data set and takes one step. The Loop carries the state that a step changes, so many steps cost one call from
 * JavaScript.
 */
import { at } from '../arrays/index.ts';
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type TensorType } from '../graph/index.ts';
import { dataTensorsOf, outputShapeOf, type Plan } from '../network/index.ts';
import { multiclass, objectiveRuleOf } from '../objective/index.ts';
import { carriedState } from './state.ts';
import { emitStep, type StepOptions } from './step.ts';
import { scalarNames } from './update-inputs.ts';

export interface LoopOptions extends StepOptions {
  readonly batchSize: number;
  /** The number of samples in the training set, and the type in which their elements are stored. */
  readonly data: { readonly count: number; readonly dtype: 'uint8' | 'float32' };
}

/** Returns the name of the output that holds a tensor's value after the run. */
export const nextName = (name: string): string => `next/${name}`;

/**
 * Builds the graph. Its inputs are `steps` (their number, M), `first_step`, `inputs [count, ..]`, `targets [count,
 * ..]`, `indices [M, batchSize]`, `scalars [M, S]` (the host's numbers for each step, see `stepScalars`), and every
 * tensor of the network and the optimizer by name. Its outputs are `next/<name>` for the carried state, `loss [M]` and
 * `score [M]`.
 */
export function loopGraph(plan: Plan, options: LoopOptions): Graph {
  const g = graphBuilder();
  const outer = declareInputs(g, plan, options);
  const body = emitBody(g, plan, outer, options);
  const results = g.Loop(outer.steps, g.initializer('always', always), ...outer.carried.values(), { body });
  const names = [...[...outer.carried.keys()].map(nextName), 'loss', 'score'];
  const outputs = Object.fromEntries(names.map((name, i) => [name, at(results, i)]));
  return checkGraph(g.build(`train ${plan.network.name}`, outputs));
}

const always = { dtype: 'bool', shape: [], data: Uint8Array.of(1) } as const;
const float32 = (shape: TensorType['shape']): TensorType => ({ dtype: 'float32', shape });

function declareInputs(g: GraphBuilder, plan: Plan, options: LoopOptions) {
  const { batchSize, data, objective = multiclass() } = options;
  const { targets } = objectiveRuleOf(objective);
  const outputs = at(outputShapeOf(plan), 0);
  const input = (name: string, type: TensorType) => [name, g.input(name, type)] as const;
  return {
    steps: g.input('steps', { dtype: 'int64', shape: [] }),
    firstStep: g.input('first_step', { dtype: 'int64', shape: [] }),
    inputs: g.input('inputs', { dtype: data.dtype, shape: [data.count, ...plan.network.inputShape] }),
    targets: g.input('targets', { dtype: targets.dtype, shape: [data.count, ...targets.shape(outputs)] }),
    indices: g.input('indices', { dtype: 'int32', shape: ['M', batchSize] }),
    scalars: g.input('scalars', float32(['M', scalarNames(options).length])),
    fixed: new Map(dataTensorsOf(plan).map(({ name, shape }) => input(name, float32(shape)))),
    carried: new Map([...carriedState(plan, options)].map(([name, shape]) => input(name, float32(shape)))),
  };
}

function emitBody(
  outer: GraphBuilder,
  plan: Plan,
  declared: ReturnType<typeof declareInputs>,
  options: LoopOptions,
): Graph {
  const g = outer.body();
  const iteration = g.input('iteration', { dtype: 'int64', shape: [] });
  const condition = g.input('condition', { dtype: 'bool', shape: [] });
  const carried = [...declared.carried].map(([name, value]) => [name, g.input(`before/${name}`, value)] as const);
  const batch = g.Gather(declared.indices, iteration, { axis: 0 });
  const scalars = g.Gather(declared.scalars, iteration, { axis: 0 });
  const { state, loss, score } = emitStep(
    g,
    plan,
    {
      x: g.Gather(declared.inputs, batch, { axis: 0 }),
      targets: g.Gather(declared.targets, batch, { axis: 0 }),
      state: new Map([...declared.fixed, ...carried]),
      scalars: new Map(
        scalarNames(options).map((name, i) => [name, g.Gather(scalars, g.scalar(i, 'int64'), { axis: 0 })]),
      ),
      step: g.Add(declared.firstStep, iteration),
    },
    options,
  );
  const after = carried.map(([name, value]) => [`after/${name}`, state.get(name) ?? value] as const);
  return g.build('step', {
    continue: condition,
    ...Object.fromEntries(after),
    step_loss: loss,
    step_score: score,
  });
}
