/** What a network gives on a data set, and how good it is. */
import type { Backend, NamedTensors, Session } from '../backend/index.ts';
import type { Dataset, Samples } from '../data/index.ts';
import { elementCount } from '../files/index.ts';
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type Value } from '../graph/index.ts';
import { emitForward, type Mode, type Plan, tensorsOf } from '../network/index.ts';
import { type Evaluation, type Objective, objectiveFor, objectiveRuleFor } from '../objective/index.ts';
import type { State } from './state.ts';

export interface Evaluator {
  /** By the data set's own objective unless another is given. */
  readonly evaluate: (state: State, dataset: Dataset, objective?: Objective) => Promise<Evaluation>;
  /** What the network gives, logits or numbers: `[count, outputs]`, row-major. */
  readonly logits: (state: State, dataset: Samples) => Promise<Float32Array>;
  readonly release: () => Promise<void>;
}

const defaultBatch = 500;

/** @param batchSize matters to the answers only in `batchStatistics` mode */
export async function createEvaluator(
  backend: Backend,
  plan: Plan,
  { mode = 'inference', batchSize = defaultBatch }: { mode?: Exclude<Mode, 'train'>; batchSize?: number } = {},
): Promise<Evaluator> {
  const session = await backend.createSession(evaluationGraph(plan, mode));
  const logits = (state: State, dataset: Samples) => runInBatches(session, state, dataset, batchSize);
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

/** The graph inputs of a network that is given its tensors with every call. */
export function declareNetwork(g: GraphBuilder, plan: Plan): { x: Value; tensors: ReadonlyMap<string, Value> } {
  const x = g.input('x', { dtype: 'float32', shape: ['N', ...plan.network.inputShape] });
  const tensors = tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
  return { x, tensors: new Map(tensors) };
}

async function runInBatches(session: Session, state: State, dataset: Samples, batchSize: number) {
  const parts: Float32Array[] = [];
  for (const batch of batchesOf(dataset, batchSize)) {
    parts.push(floatsOf(await session.run({ ...Object.fromEntries(state), ...batch }), 'logits'));
  }
  return concatenate(parts);
}

/** The samples in order, as float32 `x [N, ..]`; the last batch may be smaller. */
export function* batchesOf({ inputs, inputShape, count }: Samples, batchSize: number) {
  const size = elementCount(inputShape);
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const data = Float32Array.from(inputs.subarray(start * size, end * size));
    yield {
      x: { dtype: 'float32', shape: [end - start, ...inputShape], data },
    } satisfies NamedTensors;
  }
}

export function floatsOf(tensors: NamedTensors, name: string): Float32Array {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`internal: expected ${name} to be float32`);
  return data;
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
