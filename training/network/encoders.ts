/**
 * The layers that say how the columns of a table become what the other layers take. They begin a network, each is of a whole row, and what
 * they give stands side by side. What they know of the data, such as edges of bins and categories, is in the network's description.
 */
import { formatShape, GraphError, located } from '../graph/index.ts';
import { binsIn, type Embedding, embeddingsOf, numbersOf, placesOf } from './row.ts';
import type { TensorSpec } from './rule.ts';
import type { EncoderKind, Layer, LayerKind, LayerOf, Network } from './schema.ts';

export type Encoder = LayerOf<EncoderKind>;

interface EncoderRule<K extends EncoderKind> {
  /** Throws a `GraphError` for a network whose rows it is not for. */
  readonly require: (layer: LayerOf<K>, network: Network) => void;
  /** How many numbers it gives for a row. */
  readonly width: (network: Network) => number;
  /** Under their full names. */
  readonly tensors: (network: Network) => readonly TensorSpec[];
}

const encoderRules: { readonly [K in EncoderKind]: EncoderRule<K> } = {
  encodeNumbers: {
    require: ({ bins }, network) => {
      if (numbersOf(network).length === 0) throw new GraphError('expected columns of numbers, got none; leave it out');
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
    width: (network) => numbersOf(network).length + binsIn(network),
    // The median and the range of each number are the data's, as any network has them.
    tensors: () => [],
  },
  encodeCategories: {
    require: (_layer, { categories }) => {
      if (!categories?.some((count) => count > 0)) {
        throw new GraphError('expected columns of categories, got none; leave it out');
      }
    },
    width: (network) => embeddingsOf(network).reduce((sum, { dimension }) => sum + dimension, placesOf(network).length),
    tensors: (network) => embeddingsOf(network).map(embeddingTensor),
  },
};

/**
 * A row for each category. With one 1 among the inputs, two as the fan-in give a deviation of 1, as embeddings usually begin.
 */
export function embeddingTensor({ column, categories, dimension }: Embedding): TensorSpec {
  const shape = [categories.length, dimension];
  return { name: `encode_categories1.${column}.weight`, shape, role: { kind: 'weight', fanIn: 2 } };
}

const isEncoderKind = (kind: LayerKind): kind is EncoderKind => kind in encoderRules;
export const isEncoder = (layer: Layer): layer is Encoder => isEncoderKind(layer.kind);

/** How many layers at the beginning are. */
export function countEncoders({ layers }: Pick<Network, 'layers'>): number {
  const others = layers.findIndex((layer) => !isEncoder(layer));
  return others < 0 ? layers.length : others;
}

/** One of the layers, worked out. */
interface PlannedEncoder {
  readonly layer: Encoder;
  readonly outputShape: readonly number[];
  readonly tensors: readonly TensorSpec[];
}

/**
 * @param name of the layer
 * @param before the layers in front of it
 * @throws GraphError for rows that it is not for, and for a second one of its kind
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
