/**
 * Networks and layers as data: plain, serializable descriptions, whose types follow from the schemas that check files.
 * The rules in `rules/` define what a layer does.
 */
import { at } from '../arrays/index.ts';
import * as z from 'zod';
import { check, oneLine } from '../files/index.ts';
import { defaultAverage, defaultBins } from './layer-defaults.ts';

/** The maximum of a size. A larger one is a typing error, and would take all memory. */
const largest = 2 ** 20;
const size = z.int().positive().max(largest);

/** Is added to the variance. PyTorch's and ONNX's default is 1e-5. */
const epsilon = z.number().positive().default(1e-5);

/** Makes the schema of a pool. By default its windows lie side by side. */
const pool = <K extends string>(kind: K) =>
  z
    .strictObject({ kind: z.literal(kind), kernel: size, stride: size.optional() })
    .transform(({ stride, ...layer }) => ({ ...layer, stride: stride ?? layer.kernel }))
    .readonly();

const layer = <K extends string, S extends z.core.$ZodShape>(kind: K, settings: S) =>
  z.strictObject({ kind: z.literal(kind), ...settings }).readonly();

/** The number of bins that a number is cut into. */
export const binCount = z.int().min(2).max(1024);

const plainLayers = [
  layer('encodeNumbers', {
    /** The maximum number of bins for each number; 0 makes none. */
    bins: z.union([z.literal(0), binCount]).default(defaultBins),
  }),
  layer('encodeCategories', {
    /** The size of a category's embedding, in columns that have more categories than that. */
    dimension: z.int().min(1).max(1024).exactOptional(),
  }),
  layer('dense', { units: size }),
  layer('conv2d', {
    channels: size,
    kernel: size,
    stride: size.default(1),
    padding: z.int().nonnegative().default(0),
    /** The distance between two taps of the kernel. Descriptions from before it existed lack it. */
    dilation: size.default(1),
    /**
     * The number of groups: each group of output channels sees only its own group of input channels. Old descriptions
     * lack it too.
     */
    groups: size.default(1),
  }),
  layer('batchNorm', { epsilon }),
  layer('layerNorm', { epsilon }),
  layer('relu', {}),
  layer('leakyRelu', {
    /** The slope below zero. */
    slope: z.number().default(0.01),
  }),
  layer('sigmoid', {}),
  layer('tanh', {}),
  layer('gelu', {}),
  layer('softmax', {}),
  pool('maxPool'),
  pool('averagePool'),
  layer('globalAveragePool', {}),
  layer('flatten', {}),
  layer('members', {
    /** The number of members. */
    count: z.int().min(2).max(1024),
  }),
  z
    .strictObject({
      kind: z.literal('heads'),
      units: size,
      /** Says what is averaged over the members: probabilities, or the values themselves. */
      average: z.enum(['softmax', 'sigmoid', 'values']).optional(),
    })
    .transform(({ average, ...layer }) => ({ ...layer, average: average ?? defaultAverage(layer.units) }))
    .readonly(),
  layer('dropout', {
    /** The probability that an activation is set to zero. */
    rate: z.number().min(0).lt(1),
  }),
] as const;

/** Layers in layers are typed by hand, since declarations cannot contain a type that is inferred from itself. */
interface ResidualLayer {
  readonly kind: 'residual';
  readonly layers: readonly Layer[];
  /** Brings the input to the shape of the layers' output. It is empty where the shapes are equal. */
  readonly shortcut: readonly Layer[];
}

export type Layer = z.output<(typeof plainLayers)[number]> | ResidualLayer;

const residual = z.strictObject({
  kind: z.literal('residual'),
  get layers(): z.ZodType<readonly Layer[]> {
    return z.readonly(z.array(layerSchema));
  },
  get shortcut(): z.ZodType<readonly Layer[]> {
    return z.readonly(z.array(layerSchema)).default([]);
  },
});

const layerSchema: z.ZodType<Layer> = z.discriminatedUnion('kind', [...plainLayers, residual]);

const isRising = (edges: readonly number[]): boolean => edges.every((edge, i) => i === 0 || edge > at(edges, i - 1));

function defaultNormalization(
  inputShape: readonly number[],
  layers: readonly Layer[],
): 'robust' | 'channel' | 'feature' {
  if (layers.some(({ kind }) => kind === 'encodeNumbers')) return 'robust';
  return inputShape.length === 3 ? 'channel' : 'feature';
}

export const networkSchema = z
  .strictObject({
    name: z.string().min(1),
    /** The shape of one sample: `[C, H, W]` or `[features]`. */
    inputShape: z.array(size).min(1).readonly(),
    /**
     * The normalization of raw inputs: by one μ and σ for each channel (the default for images) or for each feature;
     * `robust` by a median and an interquartile range for each feature, with outliers drawn in; or not at all.
     */
    inputNormalization: z.enum(['channel', 'feature', 'robust', 'none']).optional(),
    /**
     * For rows of a table: the number of categories of each column, 0 where it holds numbers. Categories are given by
     * index.
     */
    categories: z.array(z.int().nonnegative()).readonly().optional(),
    /**
     * For rows of a table: the categories of each column that training has not seen. They have no place, since nothing
     * was learnt about them.
     */
    unseen: z.array(z.array(z.int().nonnegative()).readonly()).readonly().optional(),
    /**
     * For rows of a table: what replaces a missing number, or a missing category (by index); null where none may be
     * missing.
     */
    fills: z.array(z.number().nullable()).readonly().optional(),
    /** For rows of a table: the columns for which an extra input says whether the value was missing. */
    indicators: z.array(z.int().nonnegative()).readonly().optional(),
    /** For rows: the maximum number of bins for each number, beside the number itself. Training finds their edges. */
    bins: binCount.optional(),
    /** For rows: the ascending edges of each column's bins; fewer than two edges make no bins. */
    edges: z.array(z.array(z.number()).refine(isRising, 'expected edges that rise').readonly()).readonly().optional(),
    /**
     * Is true where the layers give standard deviations from the mean target; the network then converts them to the
     * targets' unit.
     */
    standardizedTargets: z.literal(true).optional(),
    layers: z.array(layerSchema).readonly(),
  })
  .transform(({ name, inputShape, inputNormalization, ...others }) => ({
    name,
    inputShape,
    inputNormalization: inputNormalization ?? defaultNormalization(inputShape, others.layers),
    ...others,
  }))
  .readonly();

/** A kind without a rule does not compile: `rules/` has a table of all kinds. */
export type LayerKind = Layer['kind'];
export type LayerOf<K extends LayerKind> = Extract<Layer, { readonly kind: K }>;
/** The layers that encode a whole row of a table and begin a network. All others take the output of another layer. */
export type EncoderKind = 'encodeNumbers' | 'encodeCategories';
export type Network = z.output<typeof networkSchema>;
export type InputNormalization = Network['inputNormalization'];

/** @returns the network, or one line that says what is wrong with the description */
export function parseNetwork(description: unknown): Network | string {
  const result = check(networkSchema, description);
  return typeof result === 'string' ? oneLine(result) : result.value;
}
