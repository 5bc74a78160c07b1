/** Stores metrics in a file: one line with a JSON object for each epoch. */
import { existsSync } from 'node:fs';
import { storedEvaluation } from '../checkpoint/index.ts';
import { append, readBytes, writeAtomically } from '../files/index.ts';
import type { Score } from '../objective/index.ts';
import type { EpochMetrics } from '../trainer/index.ts';

/**
 * Opens a metrics file. The returned function appends an epoch's line, which is complete when it returns.
 *
 * @param score names the epochs' scores
 * @param epochs the number of lines that stay; a killed run may have left more, or half a line
 */
export async function openMetricsFile(
  path: string,
  score: Score,
  epochs: number,
): Promise<(metrics: EpochMetrics) => void> {
  const text = existsSync(path) ? Buffer.from(await readBytes(path)).toString() : '';
  const kept = text.split('\n').slice(0, epochs);
  await writeAtomically(path, kept.map((line) => `${line}\n`).join(''));
  return (metrics) => {
    const [train, validation] = [metrics.train, metrics.validation].map((part) => storedEvaluation(part, score));
    append(path, `${JSON.stringify({ ...metrics, train, validation })}\n`);
  };
}
