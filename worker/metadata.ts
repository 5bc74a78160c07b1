/** What the protocol tells about the server and its models. */
import { quote, RequestError } from './errors.ts';
import type { Model, Models } from './models.ts';
import type { ModelMetadata, RepositoryIndex, ServerMetadata } from './responses.ts';

export const server: ServerMetadata = { name: 'bn-edge', version: '0.1.0', extensions: ['binary_tensor_data'] };

/** @throws RequestError where the name or the version is not served. */
export function readModel(models: Models, name: string, version: string | undefined): Model {
  const model = models.get(name);
  if (model === undefined) {
    throw new RequestError('not found', `model: expected ${[...models.keys()].join(' or ')}, got ${quote(name)}`);
  }
  if (version !== undefined && version !== model.version) {
    throw new RequestError('not found', `version of ${name}: expected ${model.version}, got ${quote(version)}`);
  }
  return model;
}

export function metadataOf({ name, version, description, labels, session }: Model): ModelMetadata {
  return {
    name,
    versions: [version],
    platform: 'onnx_onnxv1',
    inputs: session.inputs,
    outputs: session.outputs,
    parameters: { ...(description !== undefined && { description }), ...(labels && { labels }) },
  };
}

/** Every model is loaded before the first request, so Triton's `{"ready": true}` selects them all. */
export function repositoryIndex(models: Models): RepositoryIndex {
  return Array.from(models.values(), ({ name, version }) => ({ name, version, state: 'READY' as const, reason: '' }));
}
