/** Finds the path under which the app is mounted; its own paths begin below. */
import type { Context } from 'hono';
import { basePath } from 'hono/route';

/**
 * Returns `/ml` under `app.route('/ml', …)`, and an empty text at the root. It must be called before `next()`, which
 * moves on to other routes.
 */
export function mountPath(c: Context): string {
  return basePath(c).replace(/\/$/, '');
}

/** Returns the request's path below the mount, with a leading slash. */
export function pathBelow(mount: string, c: Context): string {
  return c.req.path.slice(mount.length) || '/';
}
