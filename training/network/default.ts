/** The networks for data that come without one: what their shapes suggest. */
import { batchNorm, conv2d, dense, flatten, heads, maxPool, members, relu } from './layer.ts';
import type { Layer, LayerOf, Network } from './schema.ts';

/** What a network has to know of the units of the data. */
export type Units = Pick<
  Network,
  'categories' | 'unseen' | 'fills' | 'indicators' | 'bins' | 'edges' | 'standardizedTargets'
>;

/** What a network must fit: one raw sample, and how many numbers are wanted of it. */
export interface Fit
  extends Pick<Network, 'name' | 'inputShape' | keyof Units>, Partial<Pick<Network, 'inputNormalization'>> {
  readonly outputs: number;
}

/** Dense layers with Batch Norm and ReLU, of these widths. Images are flattened. */
export function denseNetwork({ outputs, ...network }: Fit, widths: readonly number[]): Network {
  const isImage = network.inputShape.length > 1;
  return {
    ...network,
    inputNormalization: isImage ? 'channel' : network.edges ? 'robust' : (network.inputNormalization ?? 'feature'),
    layers: [...(isImage ? [flatten()] : []), ...widths.flatMap(denseBlock), dense(outputs)],
  };
}

/** From this side on an image is worth one more convolution, after which it has half the side. */
const leastSide = 8;

export interface Members {
  readonly count: number;
  readonly average: LayerOf<'heads'>['average'];
  /** Whether they part behind the first dense layer, whose product they then share: for inputs in thousands. */
  readonly isLate?: boolean;
}

/** The same for each of several members, which share these layers but for Batch Norm, and end in heads of their own. */
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

/** Convolutions of 16, 32, … channels, each followed by pooling, until the image is small; then a dense layer. */
export function imageNetwork({ outputs, ...network }: Fit): Network {
  const [, rows = 0, columns = 0] = network.inputShape;
  const blocks: Layer[] = [];
  let channels = 16;
  for (let side = Math.min(rows, columns); side >= leastSide; side = Math.floor(side / 2)) {
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
