/** Runs before the first request, so that the engine has compiled what a request needs. */

import { InferenceError } from './ort.ts';
import { createData, elementCount, unitShape } from './tensor.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

/** Beyond five runs nothing more is gained before the optimising compiler steps in, hundreds of runs later. */
const runs = 5;

interface WarmSession {
  readonly inputs: readonly ValueInfo[];
  run(feeds: Readonly<Record<string, Tensor>>): unknown;
}

/** Runs `session` on zeros, with every free dimension 1. A model that refuses such feeds is left as it is. */
export function warmUp(session: WarmSession): void {
  const feeds = Object.fromEntries(session.inputs.map((input) => [input.name, zeros(input)]));
  try {
    for (let run = 0; run < runs; run++) session.run(feeds);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
  }
}

function zeros({ dtype, shape }: ValueInfo) {
  const concrete = unitShape(shape);
  return { dtype, shape: concrete, data: createData(dtype, elementCount(concrete)) };
}
