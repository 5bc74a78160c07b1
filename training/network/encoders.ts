/**
 * The layers that encode the columns of a table. They begin a network, each takes the whole row, and their outputs are
 * concatenated. What they know of the data, such as edges of bins and categories, is in the network's description.
 */
import { formatShape, GraphError, located } from '../graph/index.ts';
import { countBins, type Embedding, embeddingsOf, numericColumns, oneHotPlaces } from './row.ts';
import type { TensorSpec } from './rule.ts';
import type { EncoderKind, Layer, LayerKind, LayerOf, Network } from './schema.ts';

export type Encoder = LayerOf<EncoderKind>;

interface EncoderRule<K extends EncoderKind> {
  /** Throws a `GraphError` for a network whose rows the layer does not suit. */
  readonly require: (layer: LayerOf<K>, network: Network) => void;
  /** Returns how many numbers the layer makes of a row. */
  readonly width: (network: Network) => number;
  /** Returns the layer's tensors under their full names. */
  readonly tensors: (network: Network) => readonly TensorSpec[];
}

const encoderRules: { readonly [K in EncoderKind]: EncoderRule<K> } = {
  encodeNumbers: {
    require: ({ bins }, network) => {
      if (numericColumns(network).length === 0)
        throw new GraphError('expected columns of numbers, got none; leave it out');
      if (network.inputNormalization !== 'robust') {
        throw new GraphError(`expected no inputNormalization beside it but robust, got ${network.inputNormalization}`);
      }
      if (network.bins !== undefined) {
        throw new GraphError(`expected no bins of the network beside its own, got ${network.bins}`);
      }
      if (bins > 0 && !network.edges) {
        throw new GraphError('expected edges of its bins, as training finds them in rows of numbers, got none');
      }
    },
    width: (network) => numericColumns(network).length + countBins(network),
    // The median and the range of each number belong to the data, as in any network.
    tensors: () => [],
  },
  encodeCategories: {
    require: (_layer, { categories }) => {
      if (!categories?.some((count) => count > 0)) {
        throw new GraphError('expected columns of categories, got none; leave it out');
      }
    },
    width: (network) =>
      embeddingsOf(network).reduce((sum, { dimension }) => sum + dimension, oneHotPlaces(network).length),
    tensors: (network) => embeddingsOf(network).map(embeddingTensor),
  },
};

/**
 * Returns the matrix of an embedding, with a row for each category. An input holds a single 1, so a fan-in of two gives
 * a deviation of 1, which is usual for embeddings.
 */
export function embeddingTensor({ column, categories, dimension }: Embedding): TensorSpec {
  const shape = [categories.length, dimension];
  return { name: `encode_categories1.${column}.weight`, shape, role: { kind: 'weight', fanIn: 2 } };
}

const isEncoderKind = (kind: LayerKind): kind is EncoderKind => kind in encoderRules;
export const isEncoder = (layer: Layer): layer is Encoder => isEncoderKind(layer.kind);

/** Counts the encoders at the beginning of a network. */
export function countEncoders({ layers }: Pick<Network, 'layers'>): number {
  const others = layers.findIndex((layer) => !isEncoder(layer));
  return others < 0 ? layers.length : others;
}

/** An encoder with its shape and tensors. */
interface PlannedEncoder {
  readonly layer: Encoder;
  readonly outputShape: readonly number[];
  readonly tensors: readonly TensorSpec[];
}

/**
 * Plans an encoder.
 *
 * @param name of the layer
 * @param before the layers in front of it
 * @throws GraphError for rows that the layer does not suit, and for a second one of its kind
 */
export function planEncoder(layer: Encoder, name: string, network: Network, before: readonly Layer[]): PlannedEncoder {
  const rule = encoderRules[layer.kind] as EncoderRule<EncoderKind>;
  return located(name, () => {
    if (before.some(({ kind }) => kind === layer.kind)) throw new GraphError(`expected one ${layer.kind}, got another`);
    if (network.inputShape.length > 1) {
      throw new GraphError(`expected rows of a table, got ${formatShape(network.inputShape)}`);
    }
    rule.require(layer, network);
    return { layer, outputShape: [rule.width(network)], tensors: rule.tensors(network) };
  });
}
