/**
 * `bn-edge/worker` serves the models of an image over HTTP. Each call creates an app of its own, so that two images in
 * one Worker do not affect each other.
 */
import type { Hono } from 'hono';
import { assembleApp } from './app.ts';
import { settingsOf } from './http/settings.ts';
import type { Image } from './image.ts';
import type { Env, WorkerOptions } from './options.ts';

export type {
  BatchNormLayer,
  Column,
  DType,
  Image,
  ModelAbout,
  OutputKind,
  PicturePreparation,
  PictureSample,
  PredictOptions,
  Predictor,
  Answer,
  Session,
  Tensor,
  TensorData,
  Unknown,
  ValueInfo,
} from './image.ts';
export type { Assets, Env, RateLimiter, WorkerOptions } from './options.ts';

/** The default export of a Worker's module, which Cloudflare's types call `ExportedHandler`. */
export interface WorkerHandler {
  /** @param env the variables and bindings that `Env` names, among any others */
  fetch(request: Request, env?: unknown, context?: unknown): Response | Promise<Response>;
}

/**
 * Creates a Worker that serves the models of an image and nothing else.
 *
 *     import { createWorker } from 'bn-edge/worker';
 *     import image from '../.bn-edge/image.mjs';
 *
 *     export default createWorker(image, { docs: true });
 *
 * @throws TypeError when `image` is not an image; Error when an option is invalid
 */
export function createWorker(image: Image, options: WorkerOptions = {}): WorkerHandler {
  const app = assembleApp(image, settingsOf(options), true);
  return {
    fetch: (request, env, context) => app.fetch(request, env ?? {}, context as Parameters<typeof app.fetch>[2]),
  };
}

/**
 * Creates the same as a Hono app, to be mounted under any path of another one.
 *
 *     const app = new Hono();
 *     app.route('/ml', createApp(image));      // POST /ml/v2/models/…
 *     app.get('/hello', (c) => c.text('hello'));
 *
 * The app answers all requests below its mount path. Its guards, headers and error answers do not touch requests outside
 * it. Mounted at `/` it answers only its own paths: `/`, `/v1`, `/v2`, `/docs`, `/metrics` and `/openapi.json`.
 *
 * @throws TypeError when `image` is not an image; Error when an option is invalid
 */
export function createApp(image: Image, options: WorkerOptions = {}): Hono<{ Bindings: Env }> {
  return assembleApp(image, settingsOf(options), false);
}
