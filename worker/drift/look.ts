/** Assesses windows while they fill, and tells when a model begins or ceases to drift. */
import type { Model } from '../models.ts';
import { announce, crossingOf, isLook, type VerdictKeeper } from './crossing.ts';
import { referenceOf } from './reference.ts';
import type { DriftReader } from './window.ts';

/** Tells by how much a window has grown. */
export interface Progress {
  readonly version: string;
  readonly start: number;
  /** `before` and `after` count the window's samples. */
  readonly before: number;
  readonly after: number;
}

/** @param webhook the address to which a crossing is posted */
export async function lookAt(
  model: Model,
  progress: readonly Progress[],
  keeper: DriftReader & VerdictKeeper,
  webhook: string | undefined,
): Promise<void> {
  const reference = referenceOf(model);
  if (!reference) return;
  for (const { version, start, before, after } of progress) {
    if (version !== model.version || !isLook(before, after)) continue;
    const [window] = await keeper.windows({ version, from: start, to: start + 1 });
    const crossing = window && (await crossingOf(model, window, reference, keeper));
    if (crossing) await announce(crossing, webhook);
  }
}
