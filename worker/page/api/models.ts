/** Asks the Worker for its models. */
import type { Metadata, Model } from './model.ts';
import { read } from './request.ts';

/** Lists the names of all models, each once. */
export async function listModels(): Promise<readonly string[]> {
  const { models } = (await read('v1/models')) as { models: readonly string[] };
  return models;
}

/** @param version undefined for the current one */
export async function readModel(name: string, version: string | undefined): Promise<Model> {
  const end = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
  const metadata = (await read(`v2/models/${encodeURIComponent(name)}${end}`)) as Metadata;
  return { ...metadata, version: version ?? metadata.versions[0] ?? '' };
}
