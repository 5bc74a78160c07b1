/**
 * `bn-edge/worker`: the models of an image, served over HTTP. Nothing here is global: each call makes an app of its own, and two
 * images in one Worker know nothing of each other.
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

/** What a Worker's module exports by default; an `ExportedHandler` in Cloudflare's types. */
export interface WorkerHandler {
  /** @param env the variables and bindings that `Env` names, among any others */
  fetch(request: Request, env?: unknown, context?: unknown): Response | Promise<Response>;
}

/**
 * A Worker that serves the models of an image and nothing else.
 *
 *     import { createWorker } from 'bn-edge/worker';
 *     import image from '../.bn-edge/image.mjs';
 *
 *     export default createWorker(image, { docs: true });
 *
 * @throws TypeError where the image is none; Error where an option is not what it has to be
 */
export function createWorker(image: Image, options: WorkerOptions = {}): WorkerHandler {
  const app = assembleApp(image, settingsOf(options), true);
  return {
    fetch: (request, env, context) => app.fetch(request, env ?? {}, context as Parameters<typeof app.fetch>[2]),
  };
}

/**
 * The same as a Hono app, to be mounted under any path of another one.
 *
 *     const app = new Hono();
 *     app.route('/ml', createApp(image));      // POST /ml/v2/models/…
 *     app.get('/hello', (c) => c.text('hello'));
 *
 * All requests below the mount path are the app's, and none beside it is touched: neither by its guards and headers nor by its
 * answers to errors. Mounted at `/` it keeps to its own paths, which are `/`, `/v1`, `/v2`, `/docs` and `/openapi.json`.
 *
 * @throws TypeError where the image is none; Error where an option is not what it has to be
 */
export function createApp(image: Image, options: WorkerOptions = {}): Hono<{ Bindings: Env }> {
  return assembleApp(image, settingsOf(options), false);
}
