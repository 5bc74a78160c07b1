/** Every compiled op agrees with the float64 interpreter, or is refused by name. */
import { describe, expect, it } from 'vitest';
import { CompileError, compile } from '../../../training/compile/index.ts';
import { checkGraph, type Graph, graphBuilder, type OpType } from '../../../training/graph/index.ts';
import { tensorOf } from '../../backends/tensors.ts';
import { opCases } from '../../reference/cases/index.ts';
import type { Arrays } from '../../reference/evaluate.ts';
import type { NdArray } from '../../reference/ndarray.ts';
import { feedsFor, forwardGraph } from '../../reference/op-graphs.ts';
import { expectReference } from './run-compiled.ts';

const training = 'is not covered: it belongs to training';

/** The ops that are refused as a whole. */
const refusedOps: { readonly [O in OpType]?: string } = {
  'com.microsoft.FusedMatMul': training,
  'com.microsoft.nchwc.Conv': training,
  'com.microsoft.nchwc.ReorderInput': training,
  'com.microsoft.nchwc.ReorderOutput': training,
  Loop: training,
  ScatterElements: training,
  SoftmaxCrossEntropyLoss: training,
  Conv: 'expected stored weights, got computed ones',
  ConvTranspose: 'expected stored weights, got computed ones',
  MaxPool: 'expected its first output alone to be read, got its Indices',
};

/** The cases that are refused, by the beginning of their names. */
const refusedCases: Readonly<Record<string, string>> = {
  'Add: int64 elements': 'expected float32 or int32, got int64',
  'BatchNormalization: a large epsilon': 'expected training_mode 0, got 1',
  'BatchNormalization: fixed statistics': 'expected stored parameters, got computed ones',
  'BatchNormalization: old statistics': 'expected training_mode 0, got 1',
  'BatchNormalization: the mini-batch’s': 'expected training_mode 0, got 1',
  'Cast: float32 to int64': 'expected a cast without loss in 32 bits, got one from float32 to int64',
  'Cast: int64 to int32': 'expected a cast without loss in 32 bits, got one from int64 to int32',
  'Cast: through float64': 'expected float32, bool or an integer type, got float64',
  'Div: int64 elements': 'expected float32, got int64',
  'LayerNormalization: ': 'expected its first output alone to be read, got its statistics',
  'ReduceSum: int32 elements': 'expected float32, got int32',
};

type Row = (typeof opCases)[number];

const refusalOf = ({ op, name }: Row): string | undefined =>
  refusedOps[op] ?? Object.entries(refusedCases).find(([start]) => name.startsWith(start))?.[1];

describe('a covered op gives what the reference gives', () => {
  it.each(opCases.filter((row) => !refusalOf(row)))('$name', async (row) => {
    const graph = forwardGraph(row);
    await expectReference(graph, feedsFor(row, graph));
  });
});

/** The cases that are refused even with parameters in the file. */
const refusedStored = new Set<string>(
  opCases
    .filter((row) => refusalOf(row) !== undefined)
    .map(({ name }) => name)
    .filter(
      (name) => !/^(Conv|ConvTranspose|MaxPool|LayerNormalization|BatchNormalization: fixed statistics)\b/.test(name),
    ),
);

describe('so it does where all its inputs but the first are stored, and its first output alone is read', () => {
  it.each(opCases.filter(({ name, inputs }) => !refusedStored.has(name) && inputs.length > 0))('$name', async (row) => {
    const { graph, feeds } = storedGraph(row);
    await expectReference(graph, feeds);
  });
});

function storedGraph(row: Row): { readonly graph: Graph; readonly feeds: Arrays } {
  const feeds = feedsFor(row, forwardGraph(row));
  const g = graphBuilder();
  const feedOf = (i: number): NdArray => feeds[`x${i}`] ?? { shape: [], data: new Float64Array() };
  const inputs = row.inputs.map(({ dtype, shape }, i) =>
    i === 0 ? g.input('x0', { dtype, shape }) : g.initializer(`x${i}`, tensorOf(dtype, feedOf(i))),
  );
  const [y] = row.emit(g, inputs);
  if (!y) throw new Error('expected an output');
  const graph = checkGraph(g.build('stored', { y }));
  return { graph, feeds: { x0: feedOf(0) } };
}

describe('another is refused by its name', () => {
  it.each(opCases.filter(refusalOf))('$name', async (row) => {
    const refusal = await compile(forwardGraph(row)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CompileError);
    expect(String(refusal)).toContain(refusalOf(row));
    // The first node that is not covered may be another than the case's own.
    expect(String(refusal)).toContain(
      row.op
        .split('.')
        .slice(0, 3)
        .join('.')
        .replace(/(Conv|ReorderOutput)$/, ''),
    );
  });
});
