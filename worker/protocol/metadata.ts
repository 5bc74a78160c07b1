/** What the protocol tells about the server and its models. */
import { quote, RequestError } from '../http/errors.ts';
import { namesOf, versionsOf, type Model, type Models } from '../models.ts';
import { version as packageVersion } from '../version.ts';
import type { ModelMetadata, RepositoryIndex, ServerMetadata } from './responses.ts';

export const server: ServerMetadata = { name: 'bn-edge', version: packageVersion, extensions: ['binary_tensor_data'] };

/**
 * @param version the current one where it is undefined
 * @throws RequestError where the name or the version is not served.
 */
export function readModel(models: Models, name: string, version: string | undefined): Model {
  const versions = versionsOf(models, name);
  if (versions.length === 0) {
    throw new RequestError('not found', `model: expected ${namesOf(models.values()).join(' or ')}, got ${quote(name)}`);
  }
  const model = versions.find((candidate) => version === undefined || candidate.version === version);
  if (model !== undefined) return model;
  const served = versions.map((candidate) => candidate.version).join(' or ');
  throw new RequestError('not found', `version of ${name}: expected ${served}, got ${quote(version ?? '')}`);
}

export function metadataOf(
  models: Models,
  { name, description, labels, remarks, ofBatch, session }: Model,
): ModelMetadata {
  return {
    name,
    versions: versionsOf(models, name).map(({ version }) => version),
    platform: 'onnx_onnxv1',
    inputs: session.inputs,
    outputs: session.outputs,
    parameters: {
      ...(description !== undefined && { description }),
      ...(labels && { labels }),
      ...(ofBatch && { statistics: 'batch' }),
      ...(remarks && { remarks }),
    },
  };
}

/** Every model is loaded before the first request, so Triton's `{"ready": true}` selects them all. */
export function repositoryIndex(models: Models): RepositoryIndex {
  return Array.from(models.values(), ({ name, version }) => ({ name, version, state: 'READY' as const, reason: '' }));
}
