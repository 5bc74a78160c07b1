/** The output of every benchmark: named numbers with units, as JSON. */
import { writeFile } from 'node:fs/promises';

export interface Measurement {
  /** A path, such as `training/mnist-cnn/64/samples_per_second/pytorch`. */
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** Writes `[{name, value, unit}, …]`. */
export async function writeMeasurements(path: string, measurements: readonly Measurement[]): Promise<void> {
  await writeFile(path, `${JSON.stringify(measurements, undefined, 2)}\n`);
}

/** Returns the median: for an even number of values the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}
