/** Metrics on disk: one JSON object a line and epoch. */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { EpochMetrics } from '../trainer/index.ts';

/** Starts the file anew; each epoch's line is complete once the function returns. */
export function openMetricsFile(path: string): (metrics: EpochMetrics) => void {
  writeFileSync(path, '');
  return (metrics) => {
    appendFileSync(path, `${JSON.stringify(metrics)}\n`);
  };
}
