/**
 * Opens training steps to be measured: a graph lowered by any list of passes and computed as a backend computes it, on
 * one thread.
 */
import type { BoundSession, NamedTensors } from '../../../training/backend/index.ts';
import { channelBlockOf } from '../../../training/backend/channel-block.ts';
import { importNative } from '../../../training/backend/import-native.ts';
import { type Bound, openBoundSession, type Runtime } from '../../../training/backend/runtime.ts';
import { openStaged, stagedProgram, minCutElements } from '../../../training/backend/staged/staged-session.ts';
import { elementCount } from '../../../training/arrays/index.ts';
import { encodeModel, type Graph, type Tensor, type Value } from '../../../training/graph/index.ts';
import { lowerBy } from '../../../training/lowering/index.ts';
import { type Passes, passesOf, type Processor } from '../../../training/lowering/passes.ts';
import { planNetwork } from '../../../training/network/index.ts';
import { createOptimizer } from '../../../training/optimizer/index.ts';
import { arrays } from '../../../training/program/index.ts';
import { gradientGraph, measuredBy } from '../../../training/trainer/in-place/gradient-graph.ts';
import { layoutOf } from '../../../training/trainer/in-place/layout.ts';
import { packed } from '../../../training/trainer/in-place/packs.ts';
import { type LoopOptions, loopGraph } from '../../../training/trainer/loop-graph.ts';
import type { Case } from '../training/networks.ts';

/** `native` and `wasm` are ONNX Runtime alone; `rows` is cut at its products; `loop` runs as iterations of a Loop. */
export const ways = ['native', 'rows', 'wasm', 'loop'] as const;
export type Way = (typeof ways)[number];

/** A way with its runtime and processor. */
export interface Machine {
  readonly way: Way;
  readonly runtime: Runtime;
  readonly processor: Processor;
}

export async function machineFor(way: Way): Promise<Machine> {
  if (way === 'wasm') {
    const runtime = await import('onnxruntime-web');
    runtime.env.wasm.numThreads = 1;
    return { way, runtime, processor: {} };
  }
  const runtime = await importNative('native');
  return { way, runtime, processor: { channelBlock: await channelBlockOf(runtime), rowElements: minCutElements } };
}

/**
 * Holds all passes of a way. `left` holds the passes by which `rows` lowers the parts that it leaves to ONNX Runtime.
 */
export interface AllPasses {
  readonly first: Passes;
  readonly left: Passes;
}

export function allPasses({ way, processor }: Machine): AllPasses {
  const native = passesOf('native', processor);
  if (way !== 'rows') return { first: way === 'wasm' ? passesOf('wasm') : native, left: {} };
  const { blockedSums } = native;
  return { first: passesOf('rows', processor), left: blockedSums ? { blockedSums } : {} };
}

export const without = ({ first, left }: AllPasses, name: string): AllPasses => {
  const others = (passes: Passes): Passes => Object.fromEntries(Object.entries(passes).filter(([key]) => key !== name));
  return { first: others(first), left: others(left) };
};

/** The iterations of a Loop in one call. */
export const iterations = 4;

/** Returns the unlowered graph of a step by Adam: the whole step in a Loop, otherwise the gradients in place. */
export function stepOf({ network, batchSize, data }: Case, way: Way): Graph {
  const plan = planNetwork(network);
  const options: LoopOptions = {
    optimizer: createOptimizer({ optimizer: 'adam' }),
    bnMomentum: 0.9,
    seed: 1,
    batchSize,
    data: { count: batchSize, dtype: data === 'mnist' ? 'uint8' : 'float32' },
  };
  if (way === 'loop') return loopGraph(plan, options);
  const graph = gradientGraph(plan, options);
  return packed({ graph, layout: layoutOf(plan, options, measuredBy(graph)) }).graph;
}

/** @returns undefined where the graph is not cut */
export async function openStep(machine: Machine, graph: Graph, passes: AllPasses): Promise<BoundSession | undefined> {
  const { way, runtime } = machine;
  const open = (part: Graph, bound: Bound): Promise<BoundSession> =>
    openBoundSession(runtime, encodeModel(part), way === 'wasm' ? wasm : native, bound);
  const lowered = lowerBy(graph, passes.first);
  const bound = { inputs: tensorsFor(lowered.inputs), outputs: tensorsFor(lowered.outputs) };
  if (way !== 'rows') return open(lowered, bound);
  const staged = stagedProgram(lowered);
  return (
    staged &&
    openStaged(staged, bound, 1, (part, { inputs, outputs }) => {
      const last = lowerBy(part, passes.left);
      const renamed = part.outputs.flatMap(({ name }, i) => {
        const [tensor, now] = [outputs[name], last.outputs[i]];
        return tensor && now ? [[now.name, tensor] as const] : [];
      });
      return open(last, { inputs, outputs: Object.fromEntries(renamed) });
    })
  );
}

const native = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  logSeverityLevel: 3,
  extra: { session: { set_denormal_as_zero: '1' } },
} as const;
const wasm = { executionProviders: ['wasm'], logSeverityLevel: 3 } as const;

const tensorsFor = (values: readonly Value[]): NamedTensors =>
  Object.fromEntries(values.map((value) => [value.name, tensorFor(value)]));

/** Fills a tensor with small positive and negative numbers; labels and indices are 0 and 1. */
function tensorFor({ name, dtype, shape: declared }: Value): Tensor {
  const shape = declared.map((size) => (typeof size === 'number' ? size : iterations));
  const data = new arrays[dtype](elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const number = dtype === 'float32' ? Math.sin(1.7 * i) / 10 + 0.05 : name === 'steps' ? iterations : i % 2;
    data[i] = dtype === 'int64' ? BigInt(number) : number;
  }
  return { dtype, shape, data };
}
