/** Answers how far monitored models have drifted: each as JSON, and all in Prometheus's format. */
import type { Monitor } from '../drift/monitor.ts';
import type { Model, Models } from '../models.ts';
import { driftOptions } from '../protocol/protocol.ts';
import { queryOptions } from '../protocol/samples.ts';
import { parse } from '../protocol/schema.ts';
import type { App, RequestContext } from './context.ts';
import { RequestError } from '../errors.ts';
import { notMonitoring } from './monitoring.ts';
import { notTurnedOn, type Settings } from './settings.ts';

/** @throws RequestError when the model is not monitored, or this Worker does not monitor */
export async function answerDrift(c: RequestContext, model: Model, settings: Settings): Promise<Response> {
  const monitor = requireMonitor(c, settings, 'drift');
  if (!model.monitor) {
    const how = '"monitor": true in its card.json';
    throw new RequestError(
      'not found',
      `drift: expected a model that is monitored, got ${model.name}, which is not (${how})`,
    );
  }
  return c.json(await monitor.report(model, c.env, parse(driftOptions, queryOptions(c.req.url))));
}

export function addMetrics(app: App, models: Models, settings: Settings): void {
  app.get('/metrics', async (c) => {
    if (!settings.metrics(c.env)) {
      throw notTurnedOn('metrics', 'publishes them', 'METRICS=true or createWorker(image, { metrics: true })');
    }
    const monitored = [...models.values()].filter(({ monitor }) => monitor);
    const text = await requireMonitor(c, settings, 'metrics').metrics(monitored, c.env);
    return c.body(text, 200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
}

function requireMonitor(c: RequestContext, settings: Settings, what: string): Monitor {
  const monitor = settings.monitor(c.env);
  if (monitor) return monitor;
  throw notMonitoring(what);
}
