/** Reads the windows of monitored models from their Durable Objects, and reports on their drift. */
import { RequestError, ServerError } from '../errors.ts';
import type { Model } from '../models.ts';
import type { Env } from '../options.ts';
import type { DriftResponse } from '../protocol/responses.ts';
import { metricsText } from './prometheus.ts';
import { digestOf, referenceOf } from './reference.ts';
import { reportOn } from './report.ts';
import type { DriftQuery } from './monitor.ts';
import { storeOf } from './store.ts';
import { type DriftReader, type DriftWindow, windowMs, type WindowsQuery } from './window.ts';

/** @throws RequestError when no Durable Object keeps the counts; ServerError when they cannot be read */
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
    const how = 'bn-edge init --monitor adds it, or prints what wrangler.toml needs';
    throw new RequestError(
      'conflict',
      `drift: expected the binding DRIFT of the class DriftMonitor, got none (${how})`,
    );
  }
  const from = Math.floor(now / windowMs - (hours - 1)) * windowMs;
  try {
    const query = { version: model.version, reference: await digestOf(model) };
    return reportOn(model, await windowsSince(from, now, reader, query), reference, Math.min(window, hours));
  } catch (error) {
    console.error(error);
    throw new ServerError('drift: expected the windows that DRIFT keeps, could not read them (the log has the reason)');
  }
}

/**
 * The time span of one read, in milliseconds: a Durable Object returns at most 32 MiB at once, which is a day of 50,000
 * channels.
 */
const spanMs = 24 * windowMs;

async function windowsSince(
  begin: number,
  now: number,
  reader: DriftReader,
  query: Omit<WindowsQuery, 'from' | 'to'>,
): Promise<readonly DriftWindow[]> {
  const found: DriftWindow[] = [];
  for (let from = begin; from <= now; from += spanMs) {
    // The last read is open: a clock that ran ahead may have left windows of later hours.
    const to = from + spanMs > now ? Number.MAX_SAFE_INTEGER : from + spanMs;
    found.push(...(await reader.windows({ ...query, from, to })));
  }
  return found;
}

/** @returns one text for all models; a model whose windows cannot be read has no metrics in it */
export async function metrics(models: readonly Model[], env: Env | undefined): Promise<string> {
  const settled = await Promise.allSettled(models.map((model) => report(model, env, { hours: 24, window: 1 })));
  return metricsText(settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
}
