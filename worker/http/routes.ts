/**
 * The routes: the Open Inference Protocol v2 over HTTP, and what this Worker offers beyond it.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
import { Hono, type Context } from 'hono';
import { describeBatchNorm } from '../explain/batch-norm.ts';
import { answerJson } from './answers.ts';
import { HEADER, joinBody, rawRequest, splitBody } from '../protocol/binary.ts';
import { checkEncoding, parseJson, readBody, requireJson } from './body.ts';
import { classify } from '../predict/classify.ts';
import { docs } from '../docs/routes.ts';
import { limitsOf, type Env } from './env.ts';
import { explain } from '../explain/explain.ts';
import { infer, type Inference } from '../protocol/infer.ts';
import { metadataOf, readModel, repositoryIndex, server } from '../protocol/metadata.ts';
import type { Model, Models } from '../models.ts';
import { classifyOptions, explainOptions, inferenceRequest, parse, repositoryRequest } from '../protocol/protocol.ts';
import { readSamples } from '../protocol/samples.ts';

export type App = Hono<{ Bindings: Env }>;

/** A model's paths, without and with its version. */
const modelPaths = ['/v2/models/:model', '/v2/models/:model/versions/:version'] as const;

export function routesTo(models: Models): App {
  const app: App = new Hono({ strict: false });
  app.get('/v2', (c) => c.json(server));
  app.get('/v2/health/live', (c) => c.json({ live: true }));
  // The specification's text names the field `live` here too, its implementations say `ready`.
  app.get('/v2/health/ready', (c) => c.json({ live: true, ready: true }));
  app.get('/v2/repository/index', (c) => c.json(repositoryIndex(models)));
  app.post('/v2/repository/index', async (c) => {
    await checkRepositoryBody(c);
    return c.json(repositoryIndex(models));
  });
  for (const path of modelPaths) addModelRoutes(app, path, models);
  app.route('/', docs(models));
  return app;
}

function addModelRoutes(app: App, path: (typeof modelPaths)[number], models: Models): void {
  const modelOf = (c: Context): Model => readModel(models, c.req.param('model') ?? '', c.req.param('version'));
  app.get(path, (c) => c.json(metadataOf(models, modelOf(c))));
  app.get(`${path}/ready`, (c) => c.json({ name: modelOf(c).name, ready: true }));
  app.get(`${path}/batchnorm`, (c) => c.json(describeBatchNorm(modelOf(c))));
  app.post(`${path}/infer`, async (c) => {
    const { response, binary } = await inferenceOf(c, modelOf(c));
    return binary.length === 0 ? answerJson(response) : joinBody(response, binary);
  });
  app.post(`${path}/classify`, async (c) => {
    const model = modelOf(c);
    const { samples, options } = readSamples(model, c.req.raw, await readBody(c), limitsOf(c.env).batch);
    return answerJson(classify(model, samples, parse(classifyOptions, options)));
  });
  app.post(`${path}/explain`, async (c) => {
    const model = modelOf(c);
    const { samples, options } = readSamples(model, c.req.raw, await readBody(c), limitsOf(c.env).batch);
    return answerJson(explain(model, samples, parse(explainOptions, options)));
  });
}

/** JSON alone, JSON and bytes, or bytes alone: the header of the binary extension tells. */
async function inferenceOf(c: Context<{ Bindings: Env }, string>, model: Model): Promise<Inference> {
  const { batch } = limitsOf(c.env);
  const header = c.req.header(HEADER);
  if (header === undefined) {
    requireJson(c.req.raw);
    return infer(model, parse(inferenceRequest, parseJson(await readBody(c))), new Uint8Array(), batch);
  }
  checkEncoding(c.req.raw);
  const { json, binary } = splitBody(await readBody(c), header);
  const isRaw = json.byteLength === 0;
  const request = isRaw
    ? rawRequest(model.name, model.session.inputs, binary.byteLength)
    : parse(inferenceRequest, parseJson(json));
  return infer(model, request, binary, batch);
}

/** Every model is ready, so what the body asks for changes nothing; but it has to be a request. */
async function checkRepositoryBody(c: Context<{ Bindings: Env }, string>): Promise<void> {
  const body = await readBody(c);
  if (body.byteLength > 0) parse(repositoryRequest, parseJson(body));
}
