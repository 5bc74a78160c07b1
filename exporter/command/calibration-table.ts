/** Shows in the terminal how well probabilities are calibrated. */
import type { Calibration } from '../../training/answers/index.ts';
import { count, percent } from '../../training/files/index.ts';
import { plainTable } from './table.ts';

export function calibrationTable({ error, bins }: Calibration): string {
  const table = plainTable(['answers given with', 'samples', 'mean probability', 'right']);
  for (const { from, to, samples, confidence, accuracy } of bins) {
    table.push([
      `${Math.round(100 * from)}–${Math.round(100 * to)} %`,
      count(samples),
      percent(confidence),
      percent(accuracy),
    ]);
  }
  return `expected calibration error ${percent(error)}: mean gap of probability and share right\n${table.toString()}`;
}
