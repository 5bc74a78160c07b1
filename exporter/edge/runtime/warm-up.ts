/** Runs sessions before the first request, so that the engine has compiled what a request needs. */

import { InferenceError } from './ort.ts';
import { createData, elementCount, unitShape } from './tensor.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

interface WarmSession {
  readonly inputs: readonly ValueInfo[];
  run(feeds: Readonly<Record<string, Tensor>>): unknown;
}

/**
 * Runs `session` on zeros, with every free dimension 1. A model that refuses such feeds is left as it is. A single run
 * is enough: further ones only start the optimising compiler, whose threads then slow the first request down.
 */
export function warmUp(session: WarmSession): void {
  const feeds = Object.fromEntries(session.inputs.map((input) => [input.name, zeros(input)]));
  try {
    session.run(feeds);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
  }
}

function zeros({ dtype, shape }: ValueInfo) {
  const concrete = unitShape(shape);
  return { dtype, shape: concrete, data: createData(dtype, elementCount(concrete)) };
}
