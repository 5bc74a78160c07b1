/** Loads the weights of models that keep them among the static assets: `"weightsIn": "assets"` in the card. */
import { ServerError } from './errors.ts';
import type { Model } from './models.ts';
import type { Env } from './options.ts';

/** The folder of the assets that holds the weights, each file named by its hash. */
export const weightsFolder = '/weights/';

const how = '[assets] directory = ".bn-edge/assets", binding = "ASSETS" in wrangler.toml';

/** @throws ServerError when the weights are missing, or are not those that the image was built with */
export async function requireWeights(model: Model, env: Env | undefined): Promise<void> {
  try {
    await model.load?.((name) => readAsset(model, env, name));
  } catch (error) {
    if (error instanceof Error && error.name === 'WeightsError') throw new ServerError(error.message, { cause: error });
    throw error;
  }
}

async function readAsset({ path }: Model, env: Env | undefined, name: string): Promise<ArrayBuffer> {
  const fail = (got: string) =>
    new ServerError(`weights of ${path}: expected ${name} among the static assets, got ${got} (${how})`);
  if (!env?.ASSETS) throw fail('no assets');
  const response = await env.ASSETS.fetch(new Request(`https://assets${weightsFolder}${name}`));
  if (!response.ok) throw fail(`status ${response.status}`);
  return response.arrayBuffer();
}
