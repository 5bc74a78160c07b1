/**
 * The routes of the Open Inference Protocol v2 over HTTP.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
import { Hono, type Context } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { limitBody, readJson } from './body.ts';
import { limitsOf, type Env } from './env.ts';
import { answerError, answerMethod, answerUnknownPath, quote, RequestError } from './errors.ts';
import { infer } from './infer.ts';
import type { Model, Models } from './models.ts';
import { parseInferenceRequest, type ModelMetadata, type ServerMetadata } from './protocol.ts';

const server: ServerMetadata = { name: 'bn-edge', version: '0.1.0', extensions: [] };

/** A model's paths, without and with its version. */
const modelPaths = ['/v2/models/:model', '/v2/models/:model/versions/:version'] as const;

export function createApp(models: Models): Hono<{ Bindings: Env }> {
  const app = new Hono<{ Bindings: Env }>({ strict: false });
  app.onError(answerError);
  app.notFound(answerUnknownPath);
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerMethod }));

  app.get('/v2', (c) => c.json(server));
  app.get('/v2/health/live', (c) => c.json({ live: true }));
  // The specification's text names the field `live` here too, its implementations say `ready`.
  app.get('/v2/health/ready', (c) => c.json({ live: true, ready: true }));

  for (const path of modelPaths) {
    app.get(path, (c) => c.json(metadataOf(modelOf(c, models))));
    app.get(`${path}/ready`, (c) => c.json({ name: modelOf(c, models).name, ready: true }));
    app.post(`${path}/infer`, limitBody, async (c) => {
      const model = modelOf(c, models);
      const request = parseInferenceRequest(await readJson(c));
      return c.json(infer(model, request, limitsOf(c.env).batch));
    });
  }
  return app;
}

/** @throws RequestError where the path names a model or version that is not served. */
function modelOf(c: Context, models: Models): Model {
  const { model: name = '', version } = c.req.param() as { model?: string; version?: string };
  const model = models.get(name);
  if (model === undefined) {
    throw new RequestError('not found', `model: expected ${[...models.keys()].join(' or ')}, got ${quote(name)}`);
  }
  if (version !== undefined && version !== model.version) {
    throw new RequestError('not found', `version of ${name}: expected ${model.version}, got ${quote(version)}`);
  }
  return model;
}

function metadataOf({ name, version, description, labels, sessions }: Model): ModelMetadata {
  const { inputs, outputs } = sessions.running;
  return {
    name,
    versions: [version],
    platform: 'onnx_onnxv1',
    inputs,
    outputs,
    parameters: { ...(description !== undefined && { description }), ...(labels && { labels }) },
  };
}
