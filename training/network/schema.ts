/**
 * Networks and layers as data: plain, serializable descriptions, whose types follow from the schemas that check what comes
 * from a file. What a layer does is its rule in `rules/`.
 */
import * as z from 'zod';
import { check, oneLine } from '../files/index.ts';
import { usualAverage, usualBins } from './usual.ts';

/** Beyond it is a slip of the keyboard, which would take all memory. */
const largest = 2 ** 20;
const size = z.int().positive().max(largest);

/** Added to the variance; PyTorch's and ONNX's default is 1e-5. */
const epsilon = z.number().positive().default(1e-5);

/** Windows of a pool stand side by side where no stride is given. */
const pool = <K extends string>(kind: K) =>
  z
    .strictObject({ kind: z.literal(kind), kernel: size, stride: size.optional() })
    .transform(({ stride, ...layer }) => ({ ...layer, stride: stride ?? layer.kernel }))
    .readonly();

const layer = <K extends string, S extends z.core.$ZodShape>(kind: K, settings: S) =>
  z.strictObject({ kind: z.literal(kind), ...settings }).readonly();

/** Into how many bins a number is cut. */
export const binCount = z.int().min(2).max(1024);

const plainLayers = [
  layer('encodeNumbers', {
    /** Into how many each number is cut at most; 0 cuts none. */
    bins: z.union([z.literal(0), binCount]).default(usualBins),
  }),
  layer('encodeCategories', {
    /** How many numbers stand for a category, where there are more categories than that. */
    dimension: z.int().min(1).max(1024).exactOptional(),
  }),
  layer('dense', { units: size }),
  layer('conv2d', {
    channels: size,
    kernel: size,
    stride: size.default(1),
    padding: z.int().nonnegative().default(0),
    /** The distance between two taps of the kernel. Descriptions written before there was any lack it. */
    dilation: size.default(1),
    /** Each group of output channels sees its own group of input channels alone. The same holds for it. */
    groups: size.default(1),
  }),
  layer('batchNorm', { epsilon }),
  layer('layerNorm', { epsilon }),
  layer('relu', {}),
  layer('leakyRelu', {
    /** Below zero. */
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
    /** How many there are. */
    count: z.int().min(2).max(1024),
  }),
  z
    .strictObject({
      kind: z.literal('heads'),
      units: size,
      /** Of what the answer is the mean over the members: of probabilities, or of the values themselves. */
      average: z.enum(['softmax', 'sigmoid', 'values']).optional(),
    })
    .transform(({ average, ...layer }) => ({ ...layer, average: average ?? usualAverage(layer.units) }))
    .readonly(),
  layer('dropout', {
    /** The probability that an activation is set to zero. */
    rate: z.number().min(0).lt(1),
  }),
] as const;

/** Layers in layers are typed by hand: declarations cannot write down a type that is inferred from itself. */
interface ResidualLayer {
  readonly kind: 'residual';
  readonly layers: readonly Layer[];
  /** What brings the input to the shape of the layers' output; none where the shapes are equal. */
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

const isRising = (edges: readonly number[]): boolean =>
  edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? NaN));

function usualNormalization(inputShape: readonly number[], layers: readonly Layer[]): 'robust' | 'channel' | 'feature' {
  if (layers.some(({ kind }) => kind === 'encodeNumbers')) return 'robust';
  return inputShape.length === 3 ? 'channel' : 'feature';
}

export const networkSchema = z
  .strictObject({
    name: z.string().min(1),
    /** One sample: `[C, H, W]` or `[features]`. */
    inputShape: z.array(size).min(1).readonly(),
    /**
     * How raw inputs are normalized: by one μ, σ for each channel (of images, by default), or for each feature; `robust` by a median and
     * an interquartile range for each feature, with what lies far out drawn in; or not at all.
     */
    inputNormalization: z.enum(['channel', 'feature', 'robust', 'none']).optional(),
    /** Of rows of a table: how many categories each column has, 0 where it holds numbers. Categories come by index. */
    categories: z.array(z.int().nonnegative()).readonly().optional(),
    /** Of rows of a table: the categories of each column that training has not seen. They have no place: nothing was learnt of them. */
    unseen: z.array(z.array(z.int().nonnegative()).readonly()).readonly().optional(),
    /** Of rows of a table: what stands in for a missing number, or category by its index; null where none may be missing. */
    fills: z.array(z.number().nullable()).readonly().optional(),
    /** Of rows of a table: the places beside which the layers are told whether the value was missing. */
    indicators: z.array(z.int().nonnegative()).readonly().optional(),
    /** Of rows: into how many bins each number is cut at most, beside its own place. Training finds their edges. */
    bins: binCount.optional(),
    /** Of rows: the edges of each column's bins, rising; fewer than two make none. */
    edges: z.array(z.array(z.number()).refine(isRising, 'expected edges that rise').readonly()).readonly().optional(),
    /** The layers give numbers in standard deviations from the mean target, the network gives them in the targets' unit. */
    standardizedTargets: z.literal(true).optional(),
    layers: z.array(layerSchema).readonly(),
  })
  .transform(({ name, inputShape, inputNormalization, ...others }) => ({
    name,
    inputShape,
    inputNormalization: inputNormalization ?? usualNormalization(inputShape, others.layers),
    ...others,
  }))
  .readonly();

/** A kind without a rule does not compile: `rules/` has a table of all. */
export type LayerKind = Layer['kind'];
export type LayerOf<K extends LayerKind> = Extract<Layer, { readonly kind: K }>;
/** Layers of a whole row of a table, which begin a network; all others are of what lies between layers. */
export type EncoderKind = 'encodeNumbers' | 'encodeCategories';
export type Network = z.output<typeof networkSchema>;
export type InputNormalization = Network['inputNormalization'];

/** @returns the network, or one line that says what is wrong with the description */
export function parseNetwork(description: unknown): Network | string {
  const result = check(networkSchema, description);
  return typeof result === 'string' ? oneLine(result) : result.value;
}
