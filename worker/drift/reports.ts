/** What monitored models say of their drift, read from their Durable Objects. */
import { RequestError, ServerError } from '../http/errors.ts';
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { DriftResponse } from '../protocol/responses.ts';
import { metricsText } from './metrics.ts';
import { referenceOf } from './reference.ts';
import { reportOn } from './report.ts';
import type { DriftQuery } from './monitor.ts';
import { storeOf } from './store.ts';
import { windowMs } from './window.ts';

/** @throws RequestError where nothing keeps what was counted; ServerError where it cannot be read */
export async function report(
  model: Model,
  env: Env | undefined,
  { hours, window }: DriftQuery,
  now = Date.now(),
): Promise<DriftResponse> {
  const reference = referenceOf(model);
  if (!reference) throw new Error(`internal: expected a monitored model, got ${model.path}`);
  const reader = storeOf(env, model.name);
  if (!reader) {
    const how = 'bn-edge init --monitor tells what wrangler.toml needs';
    throw new RequestError(
      'conflict',
      `drift: expected the binding DRIFT of the class DriftMonitor, got none (${how})`,
    );
  }
  const from = Math.floor(now / windowMs - (hours - 1)) * windowMs;
  // A clock that was ahead has left windows of later hours.
  const query = { version: model.version, from, to: Number.MAX_SAFE_INTEGER };
  try {
    return reportOn(model, await reader.windows(query), reference, window);
  } catch (error) {
    console.error(error);
    throw new ServerError('drift: expected the windows that DRIFT keeps, could not read them (the log has the reason)');
  }
}

/** @returns one text for all models; one whose windows cannot be read has no metrics in it */
export async function metrics(models: readonly Model[], env: Env | undefined): Promise<string> {
  const settled = await Promise.allSettled(models.map((model) => report(model, env, { hours: 24, window: 1 })));
  return metricsText(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
}
