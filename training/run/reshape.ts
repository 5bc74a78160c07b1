/** Reshapes samples to a model's input, where only the order or grouping of the same numbers differs. */
import type { Samples } from '../data/index.ts';
import { elementCount, present } from '../arrays/index.ts';

export interface Reshaped {
  readonly samples: Samples;
  /** Describes the change for the user; absent where there is none. */
  readonly how?: string;
}

/**
 * Returns the samples in a model's shape, or undefined where they do not fit.
 *
 * @param shape of one sample; a size that the model leaves open fits any
 */
export function reshaped(samples: Samples, shape: readonly (number | string)[]): Reshaped | undefined {
  const { inputShape } = samples;
  const fits = (sizes: readonly number[]) =>
    sizes.length === shape.length && shape.every((size, i) => typeof size === 'string' || size === sizes[i]);
  if (fits(inputShape)) return { samples };
  const [channels = 0, rows = 0, columns = 0] = inputShape;
  const isImage = inputShape.length === 3;
  const channelsLast = [rows, columns, channels];
  if (isImage && fits(channelsLast)) {
    return { samples: withChannelsLast(samples), how: `${shown(channelsLast)}, the channels last` };
  }
  const others = [
    ...(isImage && channels === 1 ? [[rows, columns]] : []),
    [elementCount(inputShape)],
    ...(inputShape.length === 1 ? [fixed(shape)] : []),
  ];
  const sizes = others.find((sizes) => fits(sizes) && elementCount(sizes) === elementCount(inputShape));
  return sizes && { samples: { ...samples, inputShape: sizes }, how: shown(sizes) };
}

const shown = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`;

/** Returns the sizes of a shape, with NaN for open ones. */
const fixed = (shape: readonly (number | string)[]): readonly number[] =>
  shape.map((size) => (typeof size === 'number' ? size : NaN));

function withChannelsLast(samples: Samples): Samples {
  const [channels = 0, rows = 0, columns = 0] = samples.inputShape;
  const area = rows * columns;
  const inputs = samples.inputs.map((_, i) => {
    const within = i % (area * channels);
    return present(samples.inputs[i - within + (within % channels) * area + Math.floor(within / channels)]);
  });
  return { ...samples, inputs, inputShape: [rows, columns, channels] };
}
