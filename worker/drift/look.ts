/** Looks at windows while they fill, and tells of what has begun or ceased to drift. */
import type { Model } from '../models.ts';
import { announce, crossingOf, isLook, type VerdictKeeper } from './crossing.ts';
import { referenceOf } from './reference.ts';
import type { DriftReader } from './window.ts';

/** A window that was added to. */
export interface Progress {
  readonly version: string;
  readonly start: number;
  /** Its samples, before and after. */
  readonly before: number;
  readonly after: number;
}

/** @param webhook an address that is told */
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
