/** Describes an inference session in the protocol's terms. The edge image holds the sessions and runs them. */
import type { Session as EdgeSession, Tensor as EdgeTensor, ValueInfo } from '../image.ts';
import { datatypeOf, datatypes, type Tensor, type TensorInfo } from './datatypes.ts';

export interface Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * Computes the named outputs from one tensor per input. The returned data is a copy.
   * @throws Error named `InferenceError` when a kernel refuses its operands, or memory runs out
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Map<string, Tensor>;
}

export function sessionOn(edge: EdgeSession): Session {
  return {
    inputs: edge.inputs.map((input) => ({ ...infoOf(input), ...placeOfSamples(input, edge.outputs) })),
    outputs: edge.outputs.map(infoOf),
    run: (feeds, fetches) => {
      const outputs = edge.run(Object.fromEntries(Array.from(feeds, ([name, tensor]) => [name, fed(tensor)])), fetches);
      // The order is that of the request: an object would put names that are whole numbers first.
      return new Map(
        fetches.flatMap((name) => {
          const tensor = outputs[name];
          return tensor ? [[name, fetched(tensor)] as const] : [];
        }),
      );
    },
  };
}

/** Marks an input whose first dimension does not count samples: it has a name that no output begins with. */
function placeOfSamples({ shape: [first] }: ValueInfo, outputs: readonly ValueInfo[]) {
  const isElsewhere = typeof first === 'string' && outputs.every(({ shape }) => shape[0] !== first && shape[0] !== -1);
  return isElsewhere && { samplesElsewhere: true };
}

function infoOf({ name, dtype, shape, anyShape = false }: ValueInfo): TensorInfo {
  const fixed = shape.map((size) => (typeof size === 'number' && size > 0 ? size : -1));
  return { name, datatype: datatypeOf(dtype), shape: fixed, ...(anyShape && { anyShape }) };
}

function fed({ datatype, shape, data }: Tensor): EdgeTensor {
  return { dtype: datatypes[datatype].dtype, shape, data };
}

function fetched({ dtype, shape, data }: EdgeTensor): Tensor {
  return { datatype: datatypeOf(dtype), shape, data };
}
