/** Binds Hono's types to this Worker's environment. */
import type { Context, Hono, MiddlewareHandler } from 'hono';
import type { Env } from '../options.ts';

export type App = Hono<{ Bindings: Env }>;
export type RequestContext = Context<{ Bindings: Env }, string>;
export type Middleware = MiddlewareHandler<{ Bindings: Env }>;
