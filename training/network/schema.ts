/** Checks a network's description that comes from a file. */
import { z } from 'zod';
import type { Layer, LayerKind, LayerOf, Network } from './layer.ts';

const size = z.number().int().positive();

/** A kind of layer without a schema does not compile. */
const layerSchemas: { readonly [K in LayerKind]: z.ZodType<LayerOf<K>> } = {
  dense: z.strictObject({ kind: z.literal('dense'), units: size }),
  conv2d: z.strictObject({
    kind: z.literal('conv2d'),
    channels: size,
    kernel: size,
    stride: size,
    padding: z.number().int().nonnegative(),
  }),
  batchNorm: z.strictObject({ kind: z.literal('batchNorm'), epsilon: z.number().positive() }),
  relu: z.strictObject({ kind: z.literal('relu') }),
  maxPool: z.strictObject({ kind: z.literal('maxPool'), kernel: size, stride: size }),
  flatten: z.strictObject({ kind: z.literal('flatten') }),
  dropout: z.strictObject({ kind: z.literal('dropout'), rate: z.number().min(0).lt(1) }),
};

const networkSchema: z.ZodType<Network> = z.strictObject({
  name: z.string().min(1),
  inputShape: z.array(size).min(1),
  inputNormalization: z.enum(['channel', 'feature']),
  layers: z.array(z.union(Object.values(layerSchemas) as readonly z.ZodType<Layer>[])),
});

/** @returns the network, or one line that says what is wrong with the description */
export function parseNetwork(description: unknown): Network | string {
  const result = networkSchema.safeParse(description);
  return result.success ? result.data : z.prettifyError(result.error).replaceAll('\n', ' ');
}
