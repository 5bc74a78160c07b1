/** Every op, compiled, gives what the float64 interpreter gives, or is refused by name. */
import { describe, expect, it } from 'vitest';
import { CompileError, compile } from '../../../training/compile/index.ts';
import type { OpType } from '../../../training/graph/index.ts';
import { opCases } from '../../reference/cases/index.ts';
import { feedsFor, forwardGraph } from '../../reference/op-graphs.ts';
import { expectReference } from './run-compiled.ts';

const training = 'is not covered: it belongs to training';

/** Whole ops that are refused. */
const refusedOps: { readonly [O in OpType]?: string } = {
  'com.microsoft.FusedMatMul': training,
  'com.microsoft.nchwc.Conv': training,
  'com.microsoft.nchwc.ReorderInput': training,
  'com.microsoft.nchwc.ReorderOutput': training,
  Loop: training,
  ScatterElements: training,
  SoftmaxCrossEntropyLoss: training,
  Conv: 'is not covered',
  ConvTranspose: 'is not covered',
  MaxPool: 'is not covered',
  AveragePool: 'is not covered',
};

/** Cases that are refused, by how their names begin. */
const refusedCases: Readonly<Record<string, string>> = {
  'Add: int64 elements': 'expected float32 or int32, got int64',
  'BatchNormalization: a large epsilon': 'expected training_mode 0, got 1',
  'BatchNormalization: fixed statistics': 'expected stored parameters, got computed ones',
  'BatchNormalization: old statistics': 'expected training_mode 0, got 1',
  'BatchNormalization: the mini-batch’s': 'expected training_mode 0, got 1',
  'Cast: float32 to int64': 'expected a cast without loss in 32 bits, got one from float32 to int64',
  'Cast: int32 to uint32': 'expected float32, bool or an integer type, got uint32',
  'Cast: int64 to int32': 'expected a cast without loss in 32 bits, got one from int64 to int32',
  'Cast: through float64': 'expected float32, bool or an integer type, got float64',
  'Div: int64 elements': 'expected float32, got int64',
  'LayerNormalization: ': 'expected its first output alone to be read, got its statistics',
  'Mul: uint32 elements': 'expected float32, bool or an integer type, got uint32',
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

describe('another is refused by its name', () => {
  it.each(opCases.filter(refusalOf))('$name', async (row) => {
    const refusal = await compile(forwardGraph(row)).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(CompileError);
    expect(String(refusal)).toContain(refusalOf(row));
    // The first node that is not covered need not be the case's own.
    expect(String(refusal)).toContain(
      row.op
        .split('.')
        .slice(0, 3)
        .join('.')
        .replace(/(Conv|ReorderOutput)$/, ''),
    );
  });
});
