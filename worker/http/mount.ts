/** Where the app is mounted: its own paths begin below. */
import type { Context } from 'hono';
import { basePath } from 'hono/route';

/** `/ml` under `app.route('/ml', …)`, and an empty text at the root. It is asked before `next()`, which moves on to other routes. */
export function mountPath(c: Context): string {
  return basePath(c).replace(/\/$/, '');
}

/** The request's path below that, beginning with a slash. */
export function pathBelow(mount: string, c: Context): string {
  return c.req.path.slice(mount.length) || '/';
}
