/** Runs graphs with ONNX Runtime's CPU kernels, on threads of this process. */
import type { InferenceSession } from 'onnxruntime-node';
import { availableParallelism } from 'node:os';
import { encodeModel, type Graph } from '../graph/index.ts';
import { lower, lowerSums } from '../lowering/index.ts';
import type { Backend, NamedTensors } from './backend.ts';
import { channelBlockOf } from './channel-block.ts';
import { foreignLoad, throttled } from './foreign-load.ts';
import { importNative } from './import-native.ts';
import { type Bound, openBoundSession, openSession } from './runtime.ts';
import { minCutElements, type OpenBound, openStaged, stagedProgram } from './staged/staged-session.ts';
import { canRunUncopied, runUncopied, takesSharedMemory, withSequence } from './uncopied.ts';
import { type Runner, adaptiveWaiting } from './waiting.ts';
import { threadCount, threadsFor } from './work.ts';

export interface NativeOptions {
  /**
   * The number of threads inside one op; when omitted, as many as a graph has work for. Results are bit-identical for
   * the same number only.
   */
  readonly threads?: number | undefined;
  /** Makes threads wait for work in a busy loop; when omitted, they do so while no other process uses the machine. */
  readonly spinning?: boolean | undefined;
  /**
   * Cuts steps in place at their products, and compiles what lies between them where that is much; true when omitted.
   */
  readonly cut?: boolean | undefined;
  /** Is told how a thread that computes rows has ended. */
  readonly onThreadEnd?: ((how: string) => void) | undefined;
}

/** @throws BackendUnavailable where ONNX Runtime has no native binary */
export async function nativeBackend({
  threads,
  spinning,
  cut = true,
  onThreadEnd,
}: NativeOptions = {}): Promise<Backend> {
  const ort = await importNative('native');
  const channelBlock = await channelBlockOf(ort);
  const isUncopied = await canRunUncopied(ort);
  const isShared = await takesSharedMemory(ort);
  const cores = availableParallelism();
  const fileOf = (graph: Graph): Uint8Array => encodeModel(lower(graph, 'native', { channelBlock }));
  const bind = (file: Uint8Array, options: InferenceSession.SessionOptions, bound: Bound) =>
    isUncopied && bytesOf(bound.outputs) > minUncopied
      ? openBoundSession(ort, withSequence(file), options, bound, runUncopied)
      : openBoundSession(ort, file, options, bound);
  const bindStage = (graph: Graph, options: InferenceSession.SessionOptions, { inputs, outputs }: Bound) => {
    const lowered = lowerSums(graph, { channelBlock });
    return bind(encodeModel(lowered), ofStage(options), { inputs, outputs: renamed(graph, lowered, outputs) });
  };
  const backendWith = (stepThreads: number | undefined): Backend => {
    const threadsOf = (graph: Graph): number => threads ?? threadsFor(graph, cores);
    const threadsOfSteps = (graph: Graph): number => stepThreads ?? threadsOf(graph);
    /** Is true for a graph that takes steps of training by itself. */
    const hasLoop = ({ nodes }: Graph): boolean => nodes.some(({ op }) => op === 'Loop');
    return {
      name: 'native',
      engine: `onnxruntime-node ${ort.env.versions.node ?? 'unknown'}, ${threads === undefined ? `at most ${threadCount(cores)}` : threadCount(threads)}`,
      isCpu: true,
      sharesMemory: isShared,
      threads: stepThreads ?? threads,
      ...(onThreadEnd && { onThreadEnd }),
      threadsOf: threadsOfSteps,
      withStepThreads: backendWith,
      createSession: (graph) =>
        openWaiting(hasLoop(graph) ? threadsOfSteps(graph) : threadsOf(graph), spinning, (options) =>
          openSession(ort, fileOf(graph), options),
        ),
      bindSession: (graph, inputs, outputs) => {
        const staged = cut
          ? stagedProgram(lower(graph, 'rows', { channelBlock, rowElements: minCutElements }), { isShared })
          : undefined;
        const graphThreads = threadsOfSteps(graph);
        return openWaiting(graphThreads, spinning, (options) => {
          if (!staged) return bind(fileOf(graph), options, { inputs, outputs });
          const open: OpenBound = (stage, bound) => bindStage(stage, options, bound);
          return openStaged(staged, { inputs, outputs }, Math.min(graphThreads, cores), open, onThreadEnd);
        });
      },
      loadSession: (file) => openWaiting(threads ?? cores, spinning, (options) => openSession(ort, file, options)),
    };
  };
  return backendWith(undefined);
}

/** Opens a session whose threads wait as `spinning` says; when omitted, as suits the load of the machine. */
async function openWaiting<Args extends readonly unknown[], Result>(
  threads: number,
  spinning: boolean | undefined,
  open: (options: InferenceSession.SessionOptions) => Promise<Runner<Args, Result>>,
): Promise<Runner<Args, Result>> {
  const openSpinning = (isSpinning: boolean) => open(sessionOptions(threads, isSpinning));
  // One thread never waits for others.
  const wait = threads === 1 ? false : spinning;
  return wait === undefined ? adaptiveWaiting(openSpinning, throttled(foreignLoad())) : openSpinning(wait);
}

/**
 * Returns the outputs under the names that they have after lowering. Passes may rename outputs, but keep their order.
 */
const renamed = (before: Graph, after: Graph, outputs: NamedTensors): NamedTensors =>
  Object.fromEntries(
    before.outputs.flatMap(({ name }, i) => {
      const [tensor, now] = [outputs[name], after.outputs[i]];
      return tensor && now ? [[now.name, tensor] as const] : [];
    }),
  );

/**
 * The number of bytes from which it pays to keep ONNX Runtime from copying outputs: up to here the copy takes no longer
 * than the error that prevents it.
 */
const minUncopied = 65536;

const bytesOf = (tensors: NamedTensors): number =>
  Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);

/**
 * Returns options for one of several sessions of a step, without a memory pattern. A pattern keeps a block in addition
 * to what the first run has allocated, which costs 5 to 8 % of the memory of a run and saves at most 2 % of its time.
 */
const ofStage = (options: InferenceSession.SessionOptions): InferenceSession.SessionOptions => ({
  ...options,
  enableMemPattern: false,
});

const sessionOptions = (threads: number, spinning: boolean): InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  intraOpNumThreads: threads,
  logSeverityLevel: 3,
  extra: {
    session: {
      intra_op: { allow_spinning: spinning ? '1' : '0' },
      // No busy loop between calls.
      force_spinning_stop: '1',
      // Moments that decay towards zero would otherwise become denormal, which makes every operation on them slow.
      set_denormal_as_zero: '1',
    },
  },
});
