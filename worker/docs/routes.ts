/** Serves `/openapi.json` for machines and `/docs` for people, where they are turned on. */
import type { App, RequestContext } from '../http/context.ts';
import { mountPath } from '../http/mount.ts';
import { notTurnedOn, type Settings } from '../http/settings.ts';
import type { Models } from '../models.ts';
import type { OpenApi } from './openapi.ts';

/**
 * Adds the routes of the documents. Their modules are loaded on the first request for one: at the start they would cost
 * 10 ms of CPU.
 */
export function docsRoutes(app: App, models: Models, settings: Settings): void {
  const requireDocs = (c: RequestContext): void => {
    if (settings.docs(c.env)) return;
    throw notTurnedOn('docs', 'answers them', 'DOCS=true or createWorker(image, { docs: true })');
  };
  const document = async (c: RequestContext, mount: string): Promise<OpenApi> => {
    const { openApi } = await import('./openapi.ts');
    return openApi([...models.values()], {
      mount,
      explain: settings.explain(c.env),
      page: settings.page(c.env),
      metrics: settings.metrics(c.env),
      monitors: settings.monitor(c.env) !== undefined,
    });
  };

  app.get('/openapi.json', async (c) => {
    requireDocs(c);
    return c.json(await document(c, mountPath(c)));
  });
  app.get('/docs', async (c) => {
    requireDocs(c);
    const mount = mountPath(c);
    const { referencePage } = await import('./page.ts');
    return c.html(referencePage(await document(c, mount), mount));
  });
  app.get('/docs/style.css', async (c) => {
    requireDocs(c);
    const { stylesheet } = await import('./page.ts');
    return c.body(String(stylesheet), 200, { 'content-type': 'text/css; charset=utf-8' });
  });
}
