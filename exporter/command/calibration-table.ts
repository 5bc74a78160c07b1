/** Whether probabilities mean what they say, in the terminal. */
import { count, percent } from '../../training/files/index.ts';
import type { Calibration } from '../../training/objective/index.ts';
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
  return `calibration error ${percent(error)}\n${table.toString()}`;
}
