/** Answers requests that match no route: those of another method, for a file of the page, or for an unknown path. */
import { TrieRouter } from 'hono/router/trie-router';
import type { App, RequestContext } from './context.ts';
import { quote } from '../errors.ts';
import { answerMethod } from './errors.ts';
import { pageFile } from './home.ts';
import { mountPath, pathBelow } from './mount.ts';
import type { Settings } from './settings.ts';

type Answer = (c: RequestContext) => Promise<Response>;

/**
 * Returns the function that answers every request that no route matches.
 * @param app the app, with all routes already added
 */
export function unmatchedOf(app: App, settings: Settings, home: Answer): Answer {
  let methodsAt: ReturnType<typeof methodsOf> | undefined;
  return async (c) => {
    const mount = mountPath(c);
    const path = pathBelow(mount, c);
    // Below a mount, a strict router treats a path with a trailing slash as another path.
    if (path === '/' && isRead(c)) return home(c);
    methodsAt ??= methodsOf(app);
    const methods = methodsAt(path);
    if (methods.length > 0) return answerMethod(c, methods);
    const file = settings.page(c.env) && isRead(c) ? await pageFile(c, mount) : undefined;
    return file ?? answerUnknownPath(c, mount, settings.docs(c.env));
  };
}

const isRead = ({ req }: RequestContext): boolean => req.method === 'GET' || req.method === 'HEAD';

/** Returns a function that lists the methods that the routes accept at a path below the mount. */
function methodsOf({ routes }: App): (path: string) => string[] {
  const router = new TrieRouter<string>();
  for (const { method, path } of routes) if (method !== 'ALL') router.add('ALL', path, method);
  return (path) => {
    const methods = router.match('ALL', path)[0].map(([method]) => method);
    return methods.includes('GET') ? ['GET', 'HEAD', ...methods.filter((method) => method !== 'GET')] : methods;
  };
}

function answerUnknownPath(c: RequestContext, mount: string, docs: boolean): Response {
  const expected = docs
    ? `one that ${mount}/docs lists`
    : `one under ${mount}/v2 (DOCS=true lists them at ${mount}/docs)`;
  return c.json({ error: `path: expected ${expected}, got ${quote(c.req.path)}` }, 404);
}
