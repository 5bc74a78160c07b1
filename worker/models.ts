/** The models this Worker serves: sessions created from the files that the build prepared (see exporter/registry.ts). */
import type { Tensor } from './datatypes.ts';
import type { Statistics } from './protocol.ts';
import type { Runtime } from './runtime.ts';
import { createSession, type Session } from './session.ts';

/** A Batch Norm layer as its ONNX file stores it; per-channel values are `[C]`. */
export interface BatchNormLayer {
  readonly name: string;
  /** The names of the tensors before (z) and after (z̃) the layer. */
  readonly input: string;
  readonly output: string;
  readonly epsilon: number;
  /** ONNX's convention: the share of the old running value that an update keeps. */
  readonly momentum: number;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly runningMean: readonly number[];
  readonly runningVar: readonly number[];
}

interface About {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  /** The name of each class, in the order of the logits. */
  readonly labels?: readonly string[];
  readonly batchNorm: readonly BatchNormLayer[];
}

/** One folder of `models/`, as the generated registry imports it. */
export interface ModelFiles extends About {
  readonly model: ArrayBuffer;
  /** The same network, every Batch Norm layer kept and its input an output; a boolean input chooses the statistics. */
  readonly switchable?: ArrayBuffer;
}

export interface Model extends About {
  /** Normalizes with the running statistics; the runtime has folded Batch Norm into the layers before. */
  readonly session: Session;
  /** Normalizes with either statistics, and also computes the input of every Batch Norm layer. */
  readonly switchable?: Readonly<Record<Statistics, Session['run']>>;
}

export type Models = ReadonlyMap<string, Model>;

/**
 * @param switchName the input of every switchable file
 * @throws OrtError where the runtime refuses a file.
 */
export function loadModels(runtime: Runtime, folders: readonly ModelFiles[], switchName: string): Models {
  return new Map(
    folders.map(({ model, switchable, ...about }) => {
      const session = createSession(runtime, new Uint8Array(model));
      const both = switchable && createSession(runtime, new Uint8Array(switchable));
      return [about.name, { ...about, session, ...(both && { switchable: bothWays(both, switchName) }) }];
    }),
  );
}

function bothWays(session: Session, switchName: string): Readonly<Record<Statistics, Session['run']>> {
  const switched = (on: boolean): Session['run'] => {
    const value: Tensor = { datatype: 'BOOL', shape: [], data: Uint8Array.of(Number(on)) };
    return (feeds, fetches) => session.run(new Map([...feeds, [switchName, value]]), fetches);
  };
  return { running: switched(false), batch: switched(true) };
}
