/** Checks a network's description that comes from a file. */
import { z } from 'zod';
import type { Layer, LayerKind, LayerOf, Network } from './layer.ts';

const size = z.number().int().positive();
const epsilon = z.number().positive();
const chain = z.array(z.lazy((): z.ZodType<Layer> => layerSchema));

/** A kind of layer without a schema does not compile. */
const layerSchemas: { readonly [K in LayerKind]: z.ZodType<LayerOf<K>> } = {
  dense: z.strictObject({ kind: z.literal('dense'), units: size }),
  conv2d: z.strictObject({
    kind: z.literal('conv2d'),
    channels: size,
    kernel: size,
    stride: size,
    padding: z.number().int().nonnegative(),
    // Descriptions written before there were any lack these two.
    dilation: size.default(1),
    groups: size.default(1),
  }),
  batchNorm: z.strictObject({ kind: z.literal('batchNorm'), epsilon }),
  layerNorm: z.strictObject({ kind: z.literal('layerNorm'), epsilon }),
  relu: z.strictObject({ kind: z.literal('relu') }),
  leakyRelu: z.strictObject({ kind: z.literal('leakyRelu'), slope: z.number() }),
  sigmoid: z.strictObject({ kind: z.literal('sigmoid') }),
  tanh: z.strictObject({ kind: z.literal('tanh') }),
  gelu: z.strictObject({ kind: z.literal('gelu') }),
  softmax: z.strictObject({ kind: z.literal('softmax') }),
  maxPool: z.strictObject({ kind: z.literal('maxPool'), kernel: size, stride: size }),
  averagePool: z.strictObject({ kind: z.literal('averagePool'), kernel: size, stride: size }),
  globalAveragePool: z.strictObject({ kind: z.literal('globalAveragePool') }),
  flatten: z.strictObject({ kind: z.literal('flatten') }),
  dropout: z.strictObject({ kind: z.literal('dropout'), rate: z.number().min(0).lt(1) }),
  residual: z.strictObject({ kind: z.literal('residual'), layers: chain, shortcut: chain }),
};

type Discriminated = z.ZodObject<{ readonly kind: z.ZodLiteral<LayerKind> }>;

/** By `kind`, so that a mistake in a layer is told apart from an unknown kind. */
const layerSchema = z.discriminatedUnion(
  'kind',
  Object.values(layerSchemas) as unknown as readonly [Discriminated, ...Discriminated[]],
) as unknown as z.ZodType<Layer>;

const networkSchema: z.ZodType<Network> = z.strictObject({
  name: z.string().min(1),
  inputShape: z.array(size).min(1),
  inputNormalization: z.enum(['channel', 'feature', 'none']),
  categories: z.array(z.number().int().nonnegative()).optional(),
  standardizedTargets: z.literal(true).optional(),
  layers: z.array(layerSchema),
});

/** @returns the network, or one line that says what is wrong with the description */
export function parseNetwork(description: unknown): Network | string {
  const result = networkSchema.safeParse(description);
  return result.success ? result.data : z.prettifyError(result.error).replaceAll('\n', ' ');
}
