/** Answers `/`: the models as JSON, or the page where it is turned on. Serves the files of the page, too. */
import { urlOf, type Models } from '../models.ts';
import type { Env } from '../options.ts';
import { server } from '../protocol/metadata.ts';
import type { Overview } from '../protocol/responses.ts';
import type { Middleware, RequestContext } from './context.ts';
import { RequestError } from '../errors.ts';
import { weightsFolder } from '../load-weights.ts';
import { mountPath } from './mount.ts';
import type { Settings } from './settings.ts';

/**
 * @param admit decides who may see the models; the page is open to everyone, and asks for the key itself
 * @param buildError see image.ts
 */
export function homeOf(models: Models, settings: Settings, admit: Middleware, buildError: string | undefined) {
  return async (c: RequestContext): Promise<Response> => {
    const mount = mountPath(c);
    if (settings.page(c.env)) return answerPage(c, mount);
    await admit(c, () => Promise.resolve());
    return c.json(overview(models, mount, settings.docs(c.env), buildError));
  };
}

function overview(models: Models, mount: string, docs: boolean, buildError: string | undefined): Overview {
  return {
    name: server.name,
    version: server.version,
    models: Array.from(models.values(), (model) => ({
      name: model.name,
      version: model.version,
      url: `${mount}${urlOf(model)}`,
    })),
    ...(docs && { docs: `${mount}/docs` }),
    ...(buildError !== undefined && { build_error: buildError }),
  };
}

/**
 * Answers with the page. Static assets are normally served before the Worker is called. When it is called, there are
 * none, or wrangler.toml lets the Worker run first, or the app is mounted elsewhere than they lie.
 * @throws RequestError when the page's files are missing
 */
async function answerPage(c: RequestContext, mount: string): Promise<Response> {
  const { pathname, search } = new URL(c.req.url);
  // The page's links are relative to its folder, so its address has to end with a slash.
  if (!pathname.endsWith('/')) return c.redirect(`${pathname}/${search}`, 308);
  const page = await pageFile(c, mount);
  if (page) return page;
  const how = '[assets] directory = "node_modules/bn-edge/dist/page", binding = "ASSETS" in wrangler.toml';
  throw new RequestError('not found', `page: expected its files among the static assets, got none (${how})`);
}

/** Returns a file of the page, and `undefined` when there is no such file or the Worker has no assets. */
export async function pageFile(c: RequestContext, mount: string): Promise<Response | undefined> {
  const assets = (c.env as Env | undefined)?.ASSETS;
  if (!assets) return undefined;
  const url = new URL(c.req.url);
  url.pathname = url.pathname.slice(mount.length);
  // Weights belong to the models, not to the page.
  if (url.pathname.startsWith(weightsFolder)) return undefined;
  const file = await assets.fetch(new Request(new Request(url, c.req.raw), { redirect: 'manual' }));
  if (file.status === 404) return undefined;
  // A fetched response is immutable, and headers are added later.
  const answer = new Response(file.body, file);
  // Assets are unaware of the mount: a redirect to `/train/` has to become one to `/ml/train/`.
  const location = file.headers.get('location');
  if (location?.startsWith('/') === true) answer.headers.set('location', `${mount}${location}`);
  return answer;
}
