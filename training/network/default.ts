/** The default networks for data, by the shape of their samples. */
import { batchNorm, conv2d, dense, flatten, heads, maxPool, members, relu } from './layer.ts';
import type { Layer, LayerOf, Network } from './schema.ts';

/** The settings of a network that come from the data: its units, categories, gaps and bins. */
export type Units = Pick<
  Network,
  'categories' | 'unseen' | 'fills' | 'indicators' | 'bins' | 'edges' | 'standardizedTargets'
>;

/** The requirements of a network: one raw sample, and the number of outputs. */
export interface Fit
  extends Pick<Network, 'name' | 'inputShape' | keyof Units>, Partial<Pick<Network, 'inputNormalization'>> {
  readonly outputs: number;
}

/** Returns dense layers of these widths with Batch Norm and ReLU. Images are flattened. */
export function denseNetwork({ outputs, ...network }: Fit, widths: readonly number[]): Network {
  const isImage = network.inputShape.length > 1;
  return {
    ...network,
    inputNormalization: isImage ? 'channel' : network.edges ? 'robust' : (network.inputNormalization ?? 'feature'),
    layers: [...(isImage ? [flatten()] : []), ...widths.flatMap(denseBlock), dense(outputs)],
  };
}

/** The minimum side of an image that is worth one more convolution, after which the side is halved. */
const minSide = 8;

export interface Members {
  readonly count: number;
  readonly average: LayerOf<'heads'>['average'];
  /**
   * Is true where the members branch after the first dense layer and share its product, which suits thousands of
   * inputs.
   */
  readonly isLate?: boolean;
}

/**
 * Returns the same network for several members, which share all layers except Batch Norm, and end in heads of their
 * own.
 */
export function membersNetwork(
  fit: Fit,
  widths: readonly number[],
  { count, average, isLate = false }: Members,
): Network {
  const { layers, ...network } = denseNetwork(fit, widths);
  const hidden = layers.slice(0, -1);
  const first = hidden.findIndex(({ kind }) => kind !== 'flatten') + (isLate ? 1 : 0);
  return {
    ...network,
    layers: [...hidden.slice(0, first), members(count), ...hidden.slice(first), heads(fit.outputs, { average })],
  };
}

/**
 * Returns convolutions of 16, 32, … channels, each followed by pooling, until the image is small, and then a dense
 * layer.
 */
export function imageNetwork({ outputs, ...network }: Fit): Network {
  const [, rows = 0, columns = 0] = network.inputShape;
  const blocks: Layer[] = [];
  let channels = 16;
  for (let side = Math.min(rows, columns); side >= minSide; side = Math.floor(side / 2)) {
    blocks.push(conv2d(channels, { kernel: 3, padding: 1 }), batchNorm(), relu(), maxPool(2));
    channels *= 2;
  }
  return {
    ...network,
    inputNormalization: 'channel',
    layers: [...blocks, flatten(), ...denseBlock(128), dense(outputs)],
  };
}

const denseBlock = (units: number): readonly Layer[] => [dense(units), batchNorm(), relu()];
