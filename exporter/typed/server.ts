/** Describes the models of a server as functions with types, from the server's metadata. */
import * as z from 'zod';
import { checked, oneLine, UserError } from '../../training/files/index.ts';
import { servedKinds } from '../served/output.ts';
import { type TypedColumn, typedModel, type TypedModel } from './model.ts';

const tensor = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) });

const column = z.object({
  name: z.string(),
  kind: z.enum(['numeric', 'categorical', 'date']),
  categories: z.array(z.string()).optional(),
  unit: z.string().optional(),
  range: z.tuple([z.union([z.number(), z.string()]), z.union([z.number(), z.string()])]).optional(),
  required: z.boolean(),
}) satisfies z.ZodType<TypedColumn>;

const metadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  inputs: z.array(tensor),
  outputs: z.array(tensor),
  parameters: z.object({
    labels: z.array(z.string()).optional(),
    columns: z.array(column).optional(),
    output: z.object({ name: z.string(), kind: z.enum(servedKinds) }).optional(),
    picture: z.object({}).optional(),
  }),
});

const list = z.object({ models: z.array(z.string()) });

/**
 * @param url under which the models are mounted
 * @param key of a server that requires one
 * @throws UserError if the server does not answer, or is not one of bn-edge
 */
export async function typedModelsOf(url: string, key: string | undefined): Promise<readonly TypedModel[]> {
  const base = url.replace(/\/+$/, '');
  const { models } = await read(`${base}/v1/models`, key, list);
  const all = await Promise.all(
    models.map((name) => read(`${base}/v2/models/${encodeURIComponent(name)}`, key, metadata)),
  );
  return all.flatMap(({ versions: [version = '1'], parameters, ...facts }) => {
    const model = typedModel({ ...facts, version, ...parameters, takesPictures: parameters.picture !== undefined });
    return model ?? [];
  });
}

async function read<S extends z.ZodType>(url: string, key: string | undefined, schema: S): Promise<z.output<S>> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(url, { headers }).catch((error: unknown) => {
    throw new UserError(`${url}: expected a server of bn-edge, got no answer`, { cause: error });
  });
  if (response.status === 401) throw new UserError(`${url}: expected the server's key; --key gives it`);
  const answer: unknown = await response.json().catch(() => undefined);
  if (!response.ok || answer === undefined) {
    throw new UserError(oneLine(`${url}: expected a server of bn-edge, got status ${response.status}`));
  }
  return checked(schema, answer, url);
}
