/** One line of JSON per request. Neither the query string, headers nor bodies are in it: they can hold secrets. */
import { createMiddleware } from 'hono/factory';
import type { Env } from './env.ts';

export const logRequest = createMiddleware<{ Bindings: Env }>(async (c, next) => {
  await next();
  if (String(c.env.LOG_REQUESTS) !== 'true') return;
  const line = {
    method: c.req.method,
    path: c.req.path.slice(0, 200),
    status: c.res.status,
    request_bytes: Number(c.req.header('content-length') ?? 0),
    ray: c.req.header('cf-ray'),
    country: c.req.header('cf-ipcountry'),
  };
  console.log(JSON.stringify(line));
});
