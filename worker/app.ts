/** What every request passes and every answer gets, around the routes. */
import { Hono, type Context } from 'hono';
import { etag } from 'hono/etag';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { protectBrowsers } from './http/answers.ts';
import type { Env } from './http/env.ts';
import { answerError, answerMethod, answerUnknownPath } from './http/errors.ts';
import { admit, allowOrigins } from './http/guards.ts';
import { logRequest } from './http/log.ts';
import type { Models } from './models.ts';
import { routesTo, type App } from './http/routes.ts';

export function createApp(models: Models): App {
  const app: App = new Hono({ strict: false });
  const routes = routesTo(models);
  const refuseMethod = methodNotAllowed({ app: routes, onMethodNotAllowed: answerMethod });
  app.onError(answerError);
  app.notFound(async (c: Context<{ Bindings: Env }, string>) => {
    c.res = answerUnknownPath(c);
    await refuseMethod(c, () => Promise.resolve());
    return c.res;
  });
  app.use(async (c, next) => {
    await next();
    protectBrowsers(c);
    logRequest(c);
  }, allowOrigins);
  // Of answers to GET alone: to hash that of an inference would cost more than many an inference, and serve nobody.
  app.get('*', etag());
  app.use('/v2/models/*', admit);
  app.use('/v2/repository/*', admit);
  app.route('/', routes);
  // The first match compiles all routes: here, so that no request waits for it.
  app.router.match('GET', '/');
  return app;
}
