/** Networks with made-up tensors, as they are exported: raw samples in, answers out. */
import { type Graph, graphBuilder, type Tensor } from '../../../training/graph/index.ts';
import {
  emitForward,
  type Layer,
  type Network,
  parseNetwork,
  planNetwork,
  tensorsOf,
} from '../../../training/network/index.ts';
import type { NdArray } from '../../reference/ndarray.ts';
import { range, sizeOf } from '../../reference/ndarray.ts';
import { type Random, seeded } from '../../reference/random.ts';

const between = (random: Random, min: number, max: number): number => min + (max - min) * random();

/** Makes a tensor: variances and deviations are positive, others are around zero and keep activations near 1. */
function tensorFor(name: string, shape: readonly number[], fanIn: number, random: Random): Tensor<'float32'> {
  const isPositive = /(var|std)$/.test(name);
  const bound = Math.sqrt(3 / fanIn);
  const draw = () => (isPositive ? between(random, 0.5, 2) : between(random, -bound, bound));
  return { dtype: 'float32', shape, data: Float32Array.from(range(sizeOf(shape)), draw) };
}

export type Described = Partial<Omit<Network, 'layers' | 'inputShape'>> & {
  readonly inputShape: readonly number[];
  readonly layers: readonly Layer[];
};

/** @param batch the first dimension: a name where it is free */
export function networkGraph(described: Described, batch: string | number = 'N'): Graph {
  const network = parseNetwork({ name: 'net', ...described });
  if (typeof network === 'string') throw new Error(network);
  const plan = planNetwork(network);
  const random = seeded(7);
  const g = graphBuilder();
  const x = g.input('x', { dtype: 'float32', shape: [batch, ...network.inputShape] });
  const tensors = tensorsOf(plan).map(({ name, shape, role }) => {
    const fanIn = role.kind === 'weight' ? role.fanIn : 1;
    return [name, g.initializer(name, tensorFor(name, shape, fanIn, random))] as const;
  });
  const { output } = emitForward(g, plan, x, { mode: 'inference', tensors: new Map(tensors) });
  return g.build('net', { y: output });
}

/** Draws samples between −1 and 1, or as `draw` says. */
export function samplesFor(
  graph: Graph,
  count: number,
  draw: (random: Random, i: number) => number = (random) => between(random, -1, 1),
): Readonly<Record<string, NdArray>> {
  const random = seeded(3);
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const sizes = shape.map((dim) => (typeof dim === 'string' ? count : dim));
      const data = Float64Array.from(range(sizeOf(sizes)), (i) => Math.fround(draw(random, i)));
      return [name, { shape: sizes, data }];
    }),
  );
}
