/** `/openapi.json` for machines, `/docs` for people. */
import { Hono } from 'hono';
import type { App } from '../http/routes.ts';
import { namesOf } from '../protocol/metadata.ts';
import type { Models } from '../models.ts';
import { openApi } from './openapi.ts';
import { referencePage, stylesheet } from './page.ts';

export function docs(models: Models): App {
  const app: App = new Hono({ strict: false });
  const document = () => openApi(namesOf(models));
  app.get('/openapi.json', (c) => c.json(document()));
  app.get('/docs', (c) => c.html(referencePage(document())));
  app.get('/docs/style.css', (c) => c.body(String(stylesheet), 200, { 'content-type': 'text/css; charset=utf-8' }));
  return app;
}
