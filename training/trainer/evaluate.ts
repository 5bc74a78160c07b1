/** Computes a network's outputs on a data set, and scores them. */
import type { Backend } from '../backend/index.ts';
import type { Dataset, Samples } from '../data/index.ts';
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type Value } from '../graph/index.ts';
import { emitForward, type Mode, type Plan, tensorsOf } from '../network/index.ts';
import { type Evaluation, type Objective, objectiveFor, objectiveRuleFor } from '../objective/index.ts';
import { runOverSamples } from './samples.ts';
import type { State } from './state.ts';

export interface Evaluator {
  /** Scores the outputs by the given objective, or by the data set's own. */
  readonly evaluate: (state: State, dataset: Dataset, objective?: Objective) => Promise<Evaluation>;
  /** Returns the network's outputs, logits or numbers, as `[count, outputs]`, row-major. */
  readonly logits: (state: State, dataset: Samples) => Promise<Float32Array>;
  readonly release: () => Promise<void>;
}

/** @param batchSize affects the outputs only in `batchStatistics` mode */
export async function createEvaluator(
  backend: Backend,
  plan: Plan,
  { mode = 'inference', batchSize }: { mode?: Exclude<Mode, 'train'>; batchSize?: number } = {},
): Promise<Evaluator> {
  const session = await backend.createSession(evaluationGraph(plan, mode));
  const logits = (state: State, dataset: Samples) =>
    runOverSamples(session, dataset, { input: 'x', output: 'logits', others: Object.fromEntries(state), batchSize });
  return {
    evaluate: async (state, dataset, objective = objectiveFor(dataset)) => {
      const rule = objectiveRuleFor(objective, dataset);
      return rule.evaluate(objective, await logits(state, dataset), dataset);
    },
    logits,
    release: session.release,
  };
}

function evaluationGraph(plan: Plan, mode: Mode): Graph {
  const g = graphBuilder();
  const { x, tensors } = declareNetwork(g, plan);
  const { output } = emitForward(g, plan, x, { mode, tensors });
  return checkGraph(g.build(`evaluate ${plan.network.name}`, { logits: output }));
}

/** Declares the graph inputs of a network that is fed its tensors with every call. */
export function declareNetwork(g: GraphBuilder, plan: Plan): { x: Value; tensors: ReadonlyMap<string, Value> } {
  const x = g.input('x', { dtype: 'float32', shape: ['N', ...plan.network.inputShape] });
  const tensors = tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
  return { x, tensors: new Map(tensors) };
}
