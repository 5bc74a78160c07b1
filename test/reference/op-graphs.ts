/** Builds the graphs that test a case: the op alone, and the gradient of a random functional of its first output. */
import { gradients } from '../../training/autodiff/index.ts';
import { checkGraph, type Graph, type GraphBuilder, graphBuilder, type Value } from '../../training/graph/index.ts';
import type { Case, Input } from './cases/case.ts';
import { type Arrays, evaluate } from './evaluate.ts';
import { element, type NdArray, range, sizeOf } from './ndarray.ts';
import { seeded, seedOf } from './random.ts';

/** Builds the graph of the op alone: x0, x1, … -> y0, y1, … */
export function forwardGraph({ inputs, emit }: Case): Graph {
  const g = graphBuilder();
  const outputs = emit(g, addInputs(g, inputs));
  return checkGraph(g.build('forward', Object.fromEntries(outputs.map((value, i) => [`y${i}`, value]))));
}

/** Returns the inputs whose gradients are tested. */
export function targetsOf({ inputs }: Case): readonly string[] {
  return inputs.flatMap(({ dtype, fixed }, i) => (dtype === 'float32' && !fixed ? [`x${i}`] : []));
}

/** Builds the functional: x0, x1, …, cotangent -> loss = Σ cotangent · y0. */
export function lossGraph(row: Case): Graph {
  const g = graphBuilder();
  return g.build('loss', { loss: emitLoss(g, row).loss });
}

/** Builds the gradient of the loss by every target: x0, x1, …, cotangent -> d_x0, d_x1, … */
export function gradientGraph(row: Case): Graph {
  const g = graphBuilder();
  const { inputs, loss } = emitLoss(g, row);
  const targets = inputs.filter(({ name }) => targetsOf(row).includes(name));
  const grads = gradients(g, loss, targets).map((value, i) => [`d_${targets[i]?.name ?? ''}`, value] as const);
  return checkGraph(g.build('gradient', Object.fromEntries(grads)));
}

function emitLoss(g: GraphBuilder, row: Case) {
  const inputs = addInputs(g, row.inputs);
  const [y] = row.emit(g, inputs);
  if (!y) throw new Error('expected an output');
  return { inputs, loss: sumOf(g, g.Mul(y, g.input('cotangent', y))) };
}

/** Returns seeded elements for every input of one of these graphs. */
export function feedsFor({ name, inputs }: Case & { readonly name: string }, graph: Graph): Arrays {
  const random = seeded(seedOf(name));
  const samples = inputs.map(({ shape, sample }) => ({ shape, data: Float64Array.from(sample(random)) }));
  const feeds = graph.inputs.map((value, i): readonly [string, NdArray] => {
    const shape = value.shape.map(Number);
    const size = sizeOf(shape);
    const noise = () => Float64Array.from(range(size), () => Math.fround(2 * random() - 1));
    return [value.name, samples[i] ?? { shape, data: noise() }];
  });
  return Object.fromEntries(feeds);
}

/** The step for float64: its truncation error (h²) and its rounding error (2⁻⁵³ / h) are both about 1e-10. */
const h = 1e-5;

/** Returns ∂loss/∂input as (loss(x + h) − loss(x − h)) / 2h, one element at a time. */
export function centralDifferences(graph: Graph, feeds: Arrays, input: string): NdArray {
  const { shape, data } = feeds[input] ?? { shape: [], data: new Float64Array() };
  const lossAt = (position: number, value: number): number => {
    const moved = { shape, data: data.with(position, value) };
    return element(evaluate(graph, { ...feeds, [input]: moved }).loss?.data ?? [], 0);
  };
  return { shape, data: data.map((x, i) => (lossAt(i, x + h) - lossAt(i, x - h)) / (2 * h)) };
}

const addInputs = (g: GraphBuilder, inputs: readonly Input[]): readonly Value[] =>
  inputs.map(({ dtype, shape }, i) => g.input(`x${i}`, { dtype, shape }));

function sumOf(g: GraphBuilder, value: Value): Value {
  return value.shape.length === 0 ? value : g.ReduceSum(value, g.ints(range(value.shape.length)), { keepdims: 0 });
}
