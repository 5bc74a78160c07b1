/** Which inputs and outputs of ONNX files have no shape. The runtime does not tell: to it, they have no dimensions. */

import { decodeProto } from '../../training/graph/index.ts';
import type { Models, Shapeless } from './runtime/index.ts';

/** Models without such are left out. */
export function shapelessIn(models: Models): Shapeless {
  const found = Object.entries(models).map(([name, file]) => {
    const { graph } = decodeProto(file);
    const values = [...(graph?.input ?? []), ...(graph?.output ?? [])];
    return [name, values.filter(({ type }) => !type?.tensorType?.shape).map((value) => value.name ?? '')] as const;
  });
  return Object.fromEntries(found.filter(([, names]) => names.length > 0));
}
