/**
 * Builds the part of a step that changes the state. Its vectors hold many tensors each, and its nodes are those that
 * update a single tensor.
 */
import { checkGraph, type Graph, graphBuilder, type GraphBuilder, type Value } from '../../graph/index.ts';
import type { TensorSpec } from '../../network/index.ts';
import { nextName } from '../loop-graph.ts';
import { scalarNames, type UpdateOptions } from '../update-inputs.ts';
import { updateParameters } from '../update-parameters.ts';
import { updateAverages, updateStatistics } from '../update-statistics.ts';
import { batchName, gradientName } from './gradient-graph.ts';
import type { Group, GroupName, Layout } from './layout.ts';

/** The name of the output that is zero when all changed values are finite, and NaN otherwise. */
export const finiteName = 'finite';

/**
 * Builds the graph. Its inputs are the layout's vectors by name, and the host's numbers for the step. Its outputs are
 * `next/<vector>` for each vector that changes, and `finite`.
 */
export function updateGraph({ groups, vectors }: Layout, options: UpdateOptions): Graph {
  const g = graphBuilder();
  const state = new Map([...vectors].map(([name, { shape }]) => [name, g.input(name, { dtype: 'float32', shape })]));
  const scalars = new Map(scalarNames(options).map((name) => [name, g.input(name, { dtype: 'float32', shape: [] })]));
  const inputs = { state, scalars };
  const [trained, averaged] = [groups.filter(isTrainedGroup), groups.filter(({ name }) => name === 'statistics')];
  /** Returns another vector of each group, by the group's name. */
  const vectorsOf = (of: readonly Group[], nameOf: (name: string) => string) =>
    new Map(of.flatMap(({ name }) => [[name, state.get(nameOf(name))] as const]).filter(isThere));
  const changed = new Map([
    ...updateParameters(g, trained.map(specOf), vectorsOf(trained, gradientName), inputs, options),
    ...updateStatistics(g, vectorsOf(averaged, batchName), inputs),
  ]);
  const averages = options.ema === undefined ? [] : updateAverages(g, groups.map(specOf), changed, inputs);
  const after = [...changed, ...averages];
  return checkGraph(
    g.build('update', {
      ...Object.fromEntries(after.map(([name, value]) => [nextName(name), value])),
      [finiteName]: after
        .map(([, value]) => zeroIfFinite(g, value))
        .reduce((sum, value) => g.Add(sum, value), g.scalar(0)),
    }),
  );
}

const isThere = (entry: readonly [GroupName, Value | undefined]): entry is readonly [GroupName, Value] =>
  entry[1] !== undefined;

const isTrainedGroup = ({ name }: Group): boolean => name === 'weights' || name === 'others';

/** Describes a group as the single tensor that its update sees. */
const specOf = ({ name, count }: Group): TensorSpec => ({
  name,
  shape: [count],
  role: name === 'weights' ? { kind: 'weight', fanIn: count } : { kind: name === 'others' ? 'bias' : 'mean' },
});

/** Emits a sum of 0 · x, which is 0 for finite x and NaN for all others. */
const zeroIfFinite = (g: GraphBuilder, value: Value): Value =>
  g.ReduceSum(g.Mul(value, g.scalar(0)), g.ints([0]), { keepdims: 0 });
