/** Decides whether and how the requests to a model are counted. */
import type { CountRun } from '../drift/monitor.ts';
import type { Model } from '../models.ts';
import type { RequestError } from '../errors.ts';
import type { RequestContext } from './context.ts';
import { notTurnedOn, type Settings } from './settings.ts';

const warned = new WeakSet<Model>();

/** @param what the part of a request that needs a monitor */
export const notMonitoring = (what: string): RequestError =>
  notTurnedOn(what, 'monitors', "createWorker(image, { monitor }) with the monitor of 'bn-edge/worker/drift'");

/**
 * Returns the function that counts the runs for this request.
 * @returns undefined when the model is not monitored, or the Worker does not monitor
 */
export function countRunOf(c: RequestContext, model: Model, settings: Settings): CountRun | undefined {
  if (!model.monitor) return undefined;
  const monitor = settings.monitor(c.env);
  if (monitor) return monitor.watch(model, c.env, laterOf(c));
  if (!warned.has(model)) {
    warned.add(model);
    console.warn(notMonitoring(`monitor: ${model.path}`).message);
  }
  return undefined;
}

/**
 * Returns a function that keeps work running after the answer. Without an execution context, nothing waits for the
 * work.
 */
function laterOf(c: RequestContext): (work: Promise<unknown>) => void {
  return (work) => {
    try {
      c.executionCtx.waitUntil(work);
    } catch {
      // The work continues as long as the process lives.
    }
  };
}
