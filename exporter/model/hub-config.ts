/** Reads what Hugging Face's `config.json`, beside a model or above its folder `onnx`, says of the classes. */
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { readBytes } from '../../training/files/index.ts';
import { labelsById } from '../store/card.ts';

const schema = z.object({ id2label: labelsById, problem_type: z.string().nullish() });

export interface HubConfig {
  readonly labels: readonly string[];
  /** Is true if several labels may apply to one sample. */
  readonly severalApply: boolean;
}

/** @returns undefined if there is no such file, or it describes something else */
export async function hubConfigOf(model: string): Promise<HubConfig | undefined> {
  const folder = dirname(resolve(model));
  for (const place of [folder, ...(basename(folder) === 'onnx' ? [dirname(folder)] : [])]) {
    const { data } = schema.safeParse(await jsonIn(join(place, 'config.json')));
    if (data) return { labels: data.id2label, severalApply: data.problem_type === 'multi_label_classification' };
  }
  return undefined;
}

async function jsonIn(path: string): Promise<unknown> {
  try {
    return JSON.parse(new TextDecoder().decode(await readBytes(path)));
  } catch {
    return undefined;
  }
}
