/**
 * Finds the inputs and outputs of ONNX files that have no shape. The runtime does not show it: it reports them as having no
 * dimensions.
 */

import { decodeProto } from '../../training/graph/index.ts';
import type { Models, Shapeless } from './runtime/index.ts';

/** Maps the names of models to the names of such inputs and outputs. Models without any are left out. */
export function shapelessIn(models: Models): Shapeless {
  const found = Object.entries(models).map(([name, file]) => {
    const { graph } = decodeProto(file);
    const values = [...(graph?.input ?? []), ...(graph?.output ?? [])];
    return [name, values.filter(({ type }) => !type?.tensorType?.shape).map((value) => value.name ?? '')] as const;
  });
  return Object.fromEntries(found.filter(([, names]) => names.length > 0));
}
