/**
 * Adds the routes: the Open Inference Protocol v2 over HTTP, and what this Worker offers beyond it.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */
import { docsRoutes } from '../docs/routes.ts';
import { describeBatchNorm } from '../explain/batch-norm.ts';
import { explain } from '../explain/explain.ts';
import type { Model, Models } from '../models.ts';
import { requireWeights } from '../load-weights.ts';
import { classify } from '../predict/classify.ts';
import { joinBody } from '../protocol/binary.ts';
import { counting, statisticsOf } from '../protocol/counts.ts';
import { infer } from '../protocol/infer.ts';
import { metadataOf, readModel, repositoryIndex, serverMetadata } from '../protocol/metadata.ts';
import { modelConfig } from '../protocol/model-config.ts';
import { classifyOptions, explainOptions, parse, repositoryRequest, type Statistics } from '../protocol/protocol.ts';
import { checkInference, parseInference } from '../protocol/request.ts';
import { readSamples, type SampleRequest } from '../protocol/samples.ts';
import { answerJson, answerUntransformedJson } from './answers.ts';
import { withBody } from './body.ts';
import type { App, RequestContext } from './context.ts';
import { addMetrics, answerDrift } from './drift.ts';
import { parseJson } from './json.ts';
import { mountPath } from './mount.ts';
import { addRowRoutes } from './rows.ts';
import { requireExplain, type Settings } from './settings.ts';
import { countRunOf } from './monitoring.ts';

/** The paths of a model, without and with its version. */
const modelPaths = ['/v2/models/:model', '/v2/models/:model/versions/:version'] as const;

/** @param buildError see image.ts */
export function addRoutes(app: App, models: Models, settings: Settings, buildError: string | undefined): void {
  app.get('/v2', (c) => {
    const docs = settings.docs(c.env) ? `${mountPath(c)}/docs` : undefined;
    return c.json(serverMetadata(docs, buildError));
  });
  app.get('/v2/health/live', (c) => c.json({ live: true }));
  // The specification's text names the field `live` here, too; its implementations name it `ready`.
  app.get('/v2/health/ready', (c) => c.json({ live: true, ready: true }));
  // The protocol has no such path, but it is an obvious one to ask for the models.
  app.get('/v2/models', (c) => c.json(repositoryIndex(models)));
  app.get('/v2/repository/index', (c) => c.json(repositoryIndex(models)));
  app.post('/v2/repository/index', async (c) => {
    await withBody(c, settings.bodyBytes(c.env), checkRepositoryBody);
    return c.json(repositoryIndex(models));
  });
  app.get('/v2/models/stats', (c, next) => {
    if (models.has('stats')) return next();
    return Promise.resolve(c.json({ model_stats: Array.from(models.values(), statisticsOf) }));
  });
  for (const path of modelPaths) addModelRoutes(app, path, models, settings);
  addRowRoutes(app, models, settings);
  addMetrics(app, models, settings);
  docsRoutes(app, models, settings);
}

function addModelRoutes(app: App, path: (typeof modelPaths)[number], models: Models, settings: Settings): void {
  const modelOf = (c: RequestContext): Model => readModel(models, c.req.param('model') ?? '', c.req.param('version'));
  const ready = async (c: RequestContext): Promise<Model> => {
    const model = modelOf(c);
    await requireWeights(model, c.env);
    return model;
  };
  /** Refuses the statistics of the mini-batch where looking inside is off, unless the model always uses them. */
  const allowStatistics = (c: RequestContext, { ofBatch }: Model, asked: Statistics | undefined): void => {
    if (asked === 'batch' && !ofBatch) requireExplain(c, settings, 'statistics');
  };
  const withSamples = (
    c: RequestContext,
    model: Model,
    answer: (sent: SampleRequest) => Response | Promise<Response>,
  ): Promise<Response> =>
    withBody(c, settings.bodyBytes(c.env), async (body) =>
      answer(await readSamples(model, c.req.raw, body, settings.batch(c.env))),
    );

  app.get(path, (c) => {
    const [explains, monitors] = [settings.explain(c.env), settings.monitor(c.env) !== undefined];
    return c.json(metadataOf(models, modelOf(c), { explains, monitors }));
  });
  app.get(`${path}/ready`, (c) => c.json({ name: modelOf(c).name, ready: true }));
  app.get(`${path}/config`, (c) => c.json(modelConfig(modelOf(c), settings.batch(c.env))));
  app.get(`${path}/stats`, (c) => c.json({ model_stats: [statisticsOf(modelOf(c))] }));
  app.get(`${path}/drift`, (c) => answerDrift(c, modelOf(c), settings));
  app.get(`${path}/batchnorm`, (c) => {
    requireExplain(c, settings, 'batchnorm');
    return c.json(describeBatchNorm(modelOf(c)));
  });
  app.post(`${path}/infer`, async (c) => {
    const model = await ready(c);
    const { answer } = await counting(model.counts, async () => {
      checkInference(c.req.raw);
      return withBody(c, settings.bodyBytes(c.env), (body) => {
        const parts = parseInference(model, c.req.raw, body);
        allowStatistics(c, model, parts.request.parameters?.statistics);
        const inference = infer(model, parts, settings.batch(c.env), countRunOf(c, model, settings));
        const { response, binary } = inference;
        return {
          ...inference,
          answer: binary.length === 0 ? answerUntransformedJson(response) : joinBody(response, binary),
        };
      });
    });
    return answer;
  });
  app.post(`${path}/classify`, async (c) => {
    const model = await ready(c);
    return withSamples(c, model, async ({ samples, options }) => {
      const parsed = parse(classifyOptions, options);
      allowStatistics(c, model, parsed.statistics);
      return answerJson(await classify(model, samples, parsed, countRunOf(c, model, settings)));
    });
  });
  app.post(`${path}/explain`, async (c) => {
    requireExplain(c, settings, 'explain');
    const model = await ready(c);
    return withSamples(c, model, ({ samples, options }) =>
      answerJson(explain(model, samples, parse(explainOptions, options))),
    );
  });
}

/** Checks that the body is a valid request. What it asks for changes nothing, because every model is ready. */
function checkRepositoryBody(body: Uint8Array): void {
  if (body.byteLength > 0) parse(repositoryRequest, parseJson(body));
}
