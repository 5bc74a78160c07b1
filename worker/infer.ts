/** One inference: a parsed request and a model in, the protocol's response out. Knows nothing of HTTP. */
import { quote, RequestError } from './errors.ts';
import type { Model } from './models.ts';
import type { InferenceRequest, InferenceResponse, Statistics } from './protocol.ts';
import type { Tensor } from './datatypes.ts';
import type { Session } from './session.ts';
import { declaredAs, readInputs, writeOutput } from './tensors.ts';

/**
 * Batch Norm normalizes with the running statistics of training, so that no sample depends on its neighbours, unless
 * `parameters.statistics` asks for `batch`.
 * @throws RequestError, OrtError
 */
export function infer(model: Model, request: InferenceRequest, maxBatch: number): InferenceResponse {
  const statistics = request.parameters?.statistics;
  const session = sessionOf(model, statistics ?? 'running');
  const feeds = readInputs(request.inputs, session.inputs, maxBatch);
  const outputs = session.run(feeds, fetchesOf(request, session));
  return {
    model_name: model.name,
    model_version: model.version,
    ...(request.id !== undefined && { id: request.id }),
    ...(statistics && { parameters: { statistics } }),
    outputs: Array.from(outputs, ([name, tensor]: [string, Tensor]) => writeOutput(name, tensor)),
  };
}

function sessionOf({ name, sessions }: Model, statistics: Statistics): Session {
  const session = sessions[statistics];
  if (session !== undefined) return session;
  throw new RequestError(
    'malformed',
    `parameters.statistics: expected "running" for ${name}, got ${quote(statistics)}`,
  );
}

/** The requested outputs, or all of them where none is named. */
function fetchesOf({ outputs = [] }: InferenceRequest, session: Session): readonly string[] {
  if (outputs.length === 0) return session.outputs.map(({ name }) => name);
  const names = outputs.map(({ name }) => declaredAs('outputs', name, session.outputs).name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new RequestError('malformed', `outputs: expected each tensor once, got ${twice} twice`);
  }
  return names;
}
