/** `/openapi.json` for machines, `/docs` for people, where they are turned on. */
import type { App, RequestContext } from '../http/context.ts';
import { RequestError } from '../http/errors.ts';
import { mountPath } from '../http/mount.ts';
import type { Settings } from '../http/settings.ts';
import type { Models } from '../models.ts';
import { openApi, type OpenApi } from './openapi.ts';
import { referencePage, stylesheet } from './page.ts';

export function docsRoutes(app: App, models: Models, settings: Settings): void {
  const requireDocs = (c: RequestContext): void => {
    if (settings.docs(c.env)) return;
    const how = 'DOCS=true or createWorker(image, { docs: true })';
    throw new RequestError('not found', `docs: expected a Worker that answers them, got one that does not (${how})`);
  };
  const document = (c: RequestContext): OpenApi =>
    openApi([...models.values()], {
      mount: mountPath(c),
      explain: settings.explain(c.env),
      page: settings.page(c.env),
    });

  app.get('/openapi.json', (c) => {
    requireDocs(c);
    return c.json(document(c));
  });
  app.get('/docs', (c) => {
    requireDocs(c);
    return c.html(referencePage(document(c), mountPath(c)));
  });
  app.get('/docs/style.css', (c) => {
    requireDocs(c);
    return c.body(String(stylesheet), 200, { 'content-type': 'text/css; charset=utf-8' });
  });
}
