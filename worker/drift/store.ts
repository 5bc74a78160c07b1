/** Describes the Durable Object that keeps the windows of a model, as its callers see it. */
import type { Env } from '../options.ts';
import type { Progress, VerdictKeeper } from './crossing.ts';
import type { Sums } from './sums.ts';
import type { DriftReader } from './window.ts';

export interface DriftStore extends DriftReader, VerdictKeeper {
  /**
   * Adds all sums, or none.
   * @param reference the digest of what the sums are compared with; sums of the same version that were counted against
   * another reference are deleted
   */
  add(sums: readonly Sums[], reference?: string): Promise<readonly Progress[]>;
}

/** Returns the Durable Object of a model, and undefined when `DRIFT` is missing or a binding of another kind. */
export function storeOf(env: Env | undefined, model: string): DriftStore | undefined {
  const { DRIFT } = env ?? {};
  if (typeof DRIFT?.idFromName !== 'function' || typeof DRIFT.get !== 'function') return undefined;
  return DRIFT.get(DRIFT.idFromName(model) as never) as DriftStore;
}
