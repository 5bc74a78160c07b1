/**
 * Logs one line of JSON per request. The query string, the body and all but three headers are left out: they can hold
 * secrets.
 */
import type { Context } from 'hono';

export function logRequest({ req, res }: Context): void {
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
