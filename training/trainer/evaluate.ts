/** Loss, accuracy and logits of a network on a data set. */
import type { Backend, NamedTensors, Session } from '../backend/index.ts';
import { type ClassificationDataset, elementCount } from '../data/index.ts';
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type Value } from '../graph/index.ts';
import type { State } from './initialize.ts';
import { emitForward, type Mode, type Plan, tensorsOf } from '../network/index.ts';
import { emitCorrect } from './step.ts';

export interface Evaluation {
  /** Mean cross-entropy. */
  readonly loss: number;
  /** The share of samples classified correctly, in [0, 1]. */
  readonly accuracy: number;
}

export interface Evaluator {
  readonly evaluate: (state: State, dataset: ClassificationDataset) => Promise<Evaluation>;
  /** `[count, classes]`, row-major. */
  readonly logits: (state: State, dataset: ClassificationDataset) => Promise<Float32Array>;
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
  const runAll = (state: State, dataset: ClassificationDataset) => runInBatches(session, state, dataset, batchSize);
  return {
    evaluate: async (state, dataset) => {
      const results = await runAll(state, dataset);
      const total = (name: string) => results.reduce((sum, result) => sum + scalarOf(result, name), 0);
      return { loss: total('loss') / dataset.count, accuracy: total('correct') / dataset.count };
    },
    logits: async (state, dataset) => {
      const results = await runAll(state, dataset);
      return concatenate(results.map((result) => floatsOf(result, 'logits')));
    },
    release: session.release,
  };
}

function evaluationGraph(plan: Plan, mode: Mode): Graph {
  const g = graphBuilder();
  const { x, tensors } = declareNetwork(g, plan);
  const labels = g.input('labels', { dtype: 'int32', shape: ['N'] });
  const { output } = emitForward(g, plan, x, { mode, tensors });
  const [loss] = g.SoftmaxCrossEntropyLoss(output, labels, { reduction: 'sum' });
  const outputs = { logits: output, loss, correct: emitCorrect(g, output, labels) };
  return checkGraph(g.build(`evaluate ${plan.network.name}`, outputs));
}

/** The graph inputs of a network that is given its tensors with every call. */
export function declareNetwork(g: GraphBuilder, plan: Plan): { x: Value; tensors: ReadonlyMap<string, Value> } {
  const x = g.input('x', { dtype: 'float32', shape: ['N', ...plan.network.inputShape] });
  const tensors = tensorsOf(plan).map(({ name, shape }) => [name, g.input(name, { dtype: 'float32', shape })] as const);
  return { x, tensors: new Map(tensors) };
}

async function runInBatches(session: Session, state: State, dataset: ClassificationDataset, batchSize: number) {
  const results: NamedTensors[] = [];
  for (const batch of batchesOf(dataset, batchSize)) {
    results.push(await session.run({ ...Object.fromEntries(state), ...batch }));
  }
  return results;
}

/** The samples in order, as float32 `x [N, ..]` and int32 `labels [N]`; the last batch may be smaller. */
export function* batchesOf({ inputs, inputShape, labels, count }: ClassificationDataset, batchSize: number) {
  const size = elementCount(inputShape);
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const data = Float32Array.from(inputs.subarray(start * size, end * size));
    yield {
      x: { dtype: 'float32', shape: [end - start, ...inputShape], data },
      labels: { dtype: 'int32', shape: [end - start], data: labels.subarray(start, end) },
    } satisfies NamedTensors;
  }
}

export function floatsOf(tensors: NamedTensors, name: string): Float32Array {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`internal: expected ${name} to be float32`);
  return data;
}

const scalarOf = (tensors: NamedTensors, name: string): number => floatsOf(tensors, name)[0] ?? NaN;

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
