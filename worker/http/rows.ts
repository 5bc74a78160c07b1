/**
 * Serves KServe's protocol V1: rows of a table by the names of their columns, in the format of TensorFlow Serving.
 * https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
 */
import { type Model, type Models, namesOf } from '../models.ts';
import { checkPredicts, predict } from '../predict/predict.ts';
import { readModel } from '../protocol/metadata.ts';
import { parse, predictOptions } from '../protocol/protocol.ts';
import type { PredictResponse } from '../protocol/responses.ts';
import { checkRowsRequest, readRows } from '../rows/read-rows.ts';
import { csvOf } from '../rows/answers.ts';
import { requireWeights } from '../load-weights.ts';
import { answerBytes, answerJson } from './answers.ts';
import { withBody } from './body.ts';
import type { App, RequestContext } from './context.ts';
import { RequestError } from '../errors.ts';
import { requireExplain, type Settings } from './settings.ts';
import { countRunOf } from './monitoring.ts';

const VERB = ':predict';

/** Matches a name with the verb; some clients encode the colon. */
const call = String.raw`[^/]+(?::|%3[Aa])predict`;
const noCall = '[^/:]+';

export function addRowRoutes(app: App, models: Models, settings: Settings): void {
  app.get('/v1/models', (c) => c.json({ models: namesOf(models.values()) }));
  addModelRoutes(app, '/v1/models', 'model', models, settings);
  addModelRoutes(app, '/v1/models/:model/versions', 'version', models, settings);
}

/** @param last the parameter that the verb follows */
function addModelRoutes(app: App, base: string, last: 'model' | 'version', models: Models, settings: Settings): void {
  const modelOf = (c: RequestContext): Model => {
    const of = (name: 'model' | 'version'): string | undefined => {
      const value = c.req.param(name);
      return name === last && value?.endsWith(VERB) ? value.slice(0, -VERB.length) : value;
    };
    return readModel(models, of('model') ?? '', of('version'));
  };
  app.get(`${base}/:${last}{${noCall}}`, (c) => c.json({ name: modelOf(c).name, ready: true }));
  app.post(`${base}/:${last}{${call}}`, async (c) => {
    const model = modelOf(c);
    checkPredicts(model);
    checkRowsRequest(c.req.raw);
    const max = settings.batch(c.env);
    const sent = await withBody(c, settings.bodyBytes(c.env), async (body) => {
      await requireWeights(model, c.env);
      return readRows(c.req.raw, body, max, model.table?.columns);
    });
    const { unknown, explain } = parse(predictOptions, sent.options);
    if (explain) requireExplain(c, settings, 'explain');
    // Most requests are not explained, so the module is loaded on demand.
    const why = explain ? (await import('../why/why.ts')).why : undefined;
    return answer(c, predict(model, sent, unknown, max, why, countRunOf(c, model, settings)), explain);
  });
}

/** Answers in CSV when the client prefers it to JSON. A table of CSV cannot hold an explanation. */
function answer(c: RequestContext, response: PredictResponse, isExplained: boolean): Response {
  const accepted = c.req.header('accept') ?? '';
  if (wishFor('text/csv', accepted) <= wishFor('application/json', accepted)) return answerJson(response);
  if (isExplained) throw new RequestError('malformed', 'explain: expected an answer in JSON, got accept: text/csv');
  return answerBytes(csvOf(response), { 'content-type': 'text/csv; charset=utf-8' });
}

/**
 * Returns the weight, from 0 to 1, that the `Accept` header gives a type it names, and 0 otherwise:
 * https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
function wishFor(type: string, accepted: string): number {
  for (const range of accepted.toLowerCase().split(',')) {
    const [name, ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const weight = parameters.find((part) => part.startsWith('q='))?.slice(2);
    return weight === undefined ? 1 : Number(weight) || 0;
  }
  return 0;
}
