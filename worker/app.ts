/**
 * Assembles the Hono app: the middleware around all routes, then the routes themselves, wherever the app is mounted.
 */
import { Hono } from 'hono';
import { etag } from 'hono/etag';
import { TrieRouter } from 'hono/router/trie-router';
import { protectBrowsers } from './http/answers.ts';
import type { App, Middleware, RequestContext } from './http/context.ts';
import { answerError } from './http/errors.ts';
import { admission, allowOrigins } from './http/guards.ts';
import { homeOf } from './http/home.ts';
import { mountPath, pathBelow } from './http/mount.ts';
import { unmatchedOf } from './http/unmatched.ts';
import { addRoutes } from './http/routes.ts';
import type { Settings } from './http/settings.ts';
import type { Image } from './image.ts';
import { createModels } from './models.ts';

/** Matches the paths that are the app's own when it is mounted at the root; all others may be its neighbours'. */
const ownPaths = /^\/($|(v1|v2|docs|metrics|openapi\.json)(\/|$))/;

/**
 * @param isAlone whether every request is the app's to answer, as in a Worker that serves nothing else
 * @throws TypeError when `image` is not an image
 */
export function assembleApp(image: Image, settings: Settings, isAlone: boolean): App {
  const models = createModels(image);
  const isOurs = (c: RequestContext): boolean => isAlone || mountPath(c) !== '' || ownPaths.test(c.req.path);
  const ours =
    (handler: Middleware): Middleware =>
    (c, next) =>
      isOurs(c) ? handler(c, next) : next();

  // Hono's default, SmartRouter, settles on this router as well, but first tries one that refuses these paths: 9 ms of
  // a start.
  const app: App = new Hono({ strict: false, router: new TrieRouter() });
  app.onError(answerError);
  app.use(ours(frame(settings)), ours(allowOrigins(settings)), ours(etag()));
  const admit = admission(settings);
  app.use('/v1/models/*', admit);
  app.use('/v2/models/*', admit);
  app.use('/v2/repository/*', admit);
  // These name the models, too.
  app.use('/docs', admit);
  app.use('/openapi.json', admit);
  app.use('/metrics', admit);
  const home = homeOf(models, settings, admit, image.buildError);
  app.get('/', home);
  addRoutes(app, models, settings, image.buildError);
  const answerUnmatched = unmatchedOf(app, settings, home);
  app.all('*', ours(answerUnmatched));
  app.notFound(answerUnmatched);
  return app;
}

/** Sets the headers of every answer, and logs the request. */
function frame(settings: Settings): Middleware {
  return async (c, next) => {
    const path = pathBelow(mountPath(c), c);
    await next();
    protectBrowsers(c, path, settings.keys(c.env).length > 0);
    if (settings.log(c.env)) logRequest(c);
  };
}

/**
 * Logs one line of JSON. The query string, the body and all but three headers are left out: they can hold secrets.
 */
function logRequest({ req, res }: RequestContext): void {
  const line = {
    method: req.method,
    path: req.path.slice(0, 200),
    status: res.status,
    request_bytes: Number(req.header('content-length') ?? 0),
    ray: req.header('cf-ray'),
    country: req.header('cf-ipcountry'),
  };
  console.log(JSON.stringify(line));
}
