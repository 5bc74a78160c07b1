/** Finds inputs without information: samples of a single value, and data sets in which all samples are the same. */
import { at, elementCount } from '../arrays/index.ts';
import type { Samples } from './dataset.ts';

export interface ConstantSamples {
  /** Is true where there are several samples and all are the same. */
  readonly areEqual: boolean;
  /**
   * The indices of samples in which every channel (or the whole sample, where there are no channels) has a single
   * value.
   */
  readonly constant: readonly number[];
}

export function findConstantSamples({ inputs, inputShape, count }: Samples): ConstantSamples {
  const size = elementCount(inputShape);
  const plane = inputShape.length === 3 ? size / at(inputShape, 0) : size;
  const constant: number[] = [];
  let areEqual = count > 1;
  for (let sample = 0; sample < count; sample++) {
    const values = inputs.subarray(sample * size, (sample + 1) * size);
    areEqual &&= values.every((value, i) => value === inputs[i]);
    if (values.every((value, i) => value === values[i - (i % plane)])) constant.push(sample);
  }
  return { areEqual, constant };
}
