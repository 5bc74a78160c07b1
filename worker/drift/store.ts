/** What keeps the windows of a model: a Durable Object, as those who ask it know it. */
import type { Env } from '../options.ts';
import type { VerdictKeeper } from './crossing.ts';
import type { Progress } from './look.ts';
import type { Sums } from './sums.ts';
import type { DriftReader } from './window.ts';

export interface DriftStore extends DriftReader, VerdictKeeper {
  /**
   * Adds all of them, or none.
   * @param reference what they are to be compared with, as a digest: what was counted against another one under the same version is gone
   */
  add(sums: readonly Sums[], reference?: string): Promise<readonly Progress[]>;
}

/** A binding of another kind is none. */
export function storeOf(env: Env | undefined, model: string): DriftStore | undefined {
  const { DRIFT } = env ?? {};
  if (typeof DRIFT?.idFromName !== 'function' || typeof DRIFT.get !== 'function') return undefined;
  return DRIFT.get(DRIFT.idFromName(model) as never) as DriftStore;
}
