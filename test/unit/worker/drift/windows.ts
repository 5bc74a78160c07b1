/** Windows of generated samples. */
import { createRandom } from '../../../../training/data/index.ts';
import type { ChannelSums, DriftWindow } from '../../../../worker/drift/window.ts';
import type { BatchNormLayer } from '../../../../worker/image.ts';

/** Returns a layer with so many channels of mean 2 and variance 4. */
export const layerOf = (channels: number, name = 'bn1'): BatchNormLayer => ({
  name,
  input: 'z',
  output: 'y',
  epsilon: 1e-5,
  momentum: 0.9,
  gamma: new Array<number>(channels).fill(1),
  beta: new Array<number>(channels).fill(0),
  runningMean: new Array<number>(channels).fill(2),
  runningVar: new Array<number>(channels).fill(4),
});

/** `[sample][channel][place]` */
export type Inputs = readonly (readonly (readonly number[])[])[];

export interface Drawing {
  readonly samples: number;
  readonly channels?: number;
  readonly places?: number;
  readonly mean?: number;
  readonly deviation?: number;
  /** The share of the variance that the positions of one sample have in common. */
  readonly common?: number;
  readonly seed?: number;
}

/** Draws normally distributed inputs. */
export function inputsOf(drawing: Drawing): Inputs {
  const { samples, channels = 1, places = 1, mean = 2, deviation = 2, common = 0, seed = 1 } = drawing;
  const random = createRandom(seed);
  const many = <Value>(count: number, value: () => Value): Value[] => Array.from({ length: count }, value);
  return many(samples, () =>
    many(channels, () => {
      const shared = Math.sqrt(common) * random.normal();
      return many(places, () => mean + deviation * (shared + Math.sqrt(1 - common) * random.normal()));
    }),
  );
}

export const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function sumsOf(inputs: Inputs): ChannelSums {
  const channels = inputs[0]?.length ?? 0;
  const sum = (value: (places: readonly number[]) => number): number[] =>
    Array.from({ length: channels }, (_, c) => inputs.reduce((total, sample) => total + value(sample[c] ?? []), 0));
  return {
    mean: sum(average),
    square: sum((places) => average(places.map((x) => x * x))),
    meanSquare: sum((places) => average(places) ** 2),
  };
}

export const windowOf = (inputs: Inputs, more: Partial<DriftWindow> = {}): DriftWindow => ({
  start: 0,
  samples: inputs.length,
  layers: { bn1: sumsOf(inputs) },
  columns: {},
  classes: {},
  ...more,
});
