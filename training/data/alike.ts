/** Finds inputs without information: samples of a single value, and data sets in which all samples are the same. */
import { at, elementCount } from '../arrays/index.ts';
import type { Samples } from './dataset.ts';

export interface Alike {
  /** Is true where there are several samples and all are the same. */
  readonly all: boolean;
  /**
   * The indices of samples in which every channel (or the whole sample, where there are no channels) has a single
   * value.
   */
  readonly flat: readonly number[];
}

export function alikeSamples({ inputs, inputShape, count }: Samples): Alike {
  const size = elementCount(inputShape);
  const plane = inputShape.length === 3 ? size / at(inputShape, 0) : size;
  const flat: number[] = [];
  let all = count > 1;
  for (let sample = 0; sample < count; sample++) {
    const values = inputs.subarray(sample * size, (sample + 1) * size);
    all &&= values.every((value, i) => value === inputs[i]);
    if (values.every((value, i) => value === values[i - (i % plane)])) flat.push(sample);
  }
  return { all, flat };
}
