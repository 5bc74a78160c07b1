/** Two threads give the same bits as one, and the end of the second thread is reported. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterAll, expect, it } from 'vitest';
import { compileStatic, staticToText, type Threads } from '../../../training/compile/index.ts';
import { type Graph, graphBuilder, type GraphBuilder, type Value } from '../../../training/graph/index.ts';
import { StepProgram, ThreadEnded } from '../../../training/trainer/compiled/step-program.ts';
import { seeded, seedOf } from '../../reference/random.ts';

const opened: StepProgram[] = [];
afterAll(() => Promise.all(opened.map((program) => program.release())));

function open(graph: Graph, threads: Threads): StepProgram {
  const program = new StepProgram(compileStatic(graph, { threads }));
  opened.push(program);
  const random = seeded(seedOf(graph.name));
  for (const [, cells] of program.inputs) cells.forEach((_, i) => (cells[i] = random() - 0.5));
  return program;
}

const bitsOf = ({ outputs }: StepProgram) =>
  [...outputs].map(([name, { buffer, byteOffset, length }]) => [
    name,
    new Uint32Array(buffer, byteOffset, length).slice(),
  ]);

type Emit = (g: GraphBuilder, input: (...shape: readonly number[]) => Value) => Value | readonly Value[];

/** Each graph is large enough for two threads, and its sizes leave a remainder. */
const graphs: Readonly<Record<string, Emit>> = {
  'a product': (g, input) => g.Gemm(input(61, 70), input(70, 45), undefined, {}),
  'a product of one panel': (g, input) => g.Gemm(input(150, 90), input(90, 7), input(7), {}),
  'a product of few rows': (g, input) => g.Gemm(input(5, 200), input(203, 200), input(203), { transB: 1 }),
  'a product of columns': (g, input) => g.Gemm(input(90, 65), input(90, 43), undefined, { transA: 1 }),
  'a product of columns with rows': (g, input) =>
    g.Gemm(input(90, 65), input(43, 90), undefined, { transA: 1, transB: 1 }),
  'a stack of products': (g, input) => g.MatMul(input(5, 40, 50), input(5, 50, 19)),
  'a stack of one matrix': (g, input) => g.MatMul(input(3, 40, 50), input(1, 50, 143)),
  'elementwise nodes': (g, input) => {
    const x = input(129, 67);
    return [g.Add(x, g.scalar(1)), g.Exp(x)];
  },
  'rows of whole vectors': (g, input) => g.Mul(input(65, 132), input(132)),
  'rows of broken vectors': (g, input) => g.Mul(input(65, 131), input(65, 1)),
  'sums of columns': (g, input) => g.ReduceSum(input(130, 67), g.ints([0]), { keepdims: 0 }),
  'sums of rows': (g, input) => g.ReduceMean(input(131, 67), g.ints([1]), { keepdims: 1 }),
  'sums in the middle': (g, input) => g.ReduceSum(input(7, 40, 33), g.ints([1]), { keepdims: 0 }),
  'a sum of all': (g, input) => g.ReduceSum(input(130, 67), g.ints([0, 1]), { keepdims: 0 }),
  'moved axes': (g, input) => g.Transpose(input(9, 31, 33), { perm: [1, 0, 2] }),
  'joined pieces': (g, input) => g.Concat(input(70, 60), input(70, 61), { axis: 1 }),
  'what is too small for two': (g, input) => g.Mul(input(3, 3), input(3)),
};

function graphOf(name: string, emit: Emit): Graph {
  const g = graphBuilder();
  let inputs = 0;
  const outputs = [emit(g, (...shape) => g.input(`x${inputs++}`, { dtype: 'float32', shape }))].flat();
  return g.build(name, Object.fromEntries(outputs.map((value, i) => [`y${i}`, value])));
}

it.each(Object.entries(graphs))('%s: the same bits, again and again', (name, emit) => {
  const graph = graphOf(name, emit);
  const [one, two] = [open(graph, 1), open(graph, 2)];
  one.run();
  for (let step = 0; step < 50; step++) two.run();
  expect(bitsOf(two)).toEqual(bitsOf(one));
  const isShared = staticToText(graph, { threads: 2 }).split('(func $help')[1]?.includes(';;');
  expect(isShared).toBe(
    !['what is too small for two', 'a sum of all', 'rows of broken vectors', 'sums in the middle'].includes(name),
  );
});

/** Returns the thread that starts while the action runs. */
async function startedBy(action: () => void): Promise<Worker> {
  // By then, threads that were started earlier have been reported.
  await setImmediate();
  const started = once(process, 'worker') as Promise<[Worker]>;
  action();
  const [worker] = await started;
  return worker;
}

it('the end of the second thread between two steps is told at the next', async () => {
  const graph = graphOf('ended', (g, input) => g.Exp(input(200, 100)));
  let program: StepProgram | undefined;
  const worker = await startedBy(() => (program = open(graph, 2)));
  program?.run();
  await worker.terminate();
  expect(() => program?.run()).toThrow(ThreadEnded);
  expect(() => program?.run()).toThrow(
    'training: expected the second thread of the steps to go on, got its end: exit status 1',
  );
});

it('the end of the second thread within a step is noticed, for which the first one waits some seconds', async () => {
  const graph = graphOf('ended within', (g, input) => g.Exp(input(200, 100)));
  let program: StepProgram | undefined;
  const worker = await startedBy(() => (program = open(graph, 2)));
  program?.run();
  const end = worker.terminate();
  expect(() => {
    for (;;) program?.run();
  }).toThrow(ThreadEnded);
  await end;
}, 60_000);
