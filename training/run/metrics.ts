/** Metrics on disk: one JSON object a line and epoch. */
import { existsSync } from 'node:fs';
import { storedEvaluation } from '../checkpoint/index.ts';
import { append, readBytes, writeAtomically } from '../files/index.ts';
import type { Score } from '../objective/index.ts';
import type { EpochMetrics } from '../trainer/index.ts';

/**
 * Each epoch's line is complete once the returned function is through.
 *
 * @param score by whose name the epochs' scores go
 * @param epochs whose lines stay, of a file that may hold more, or half a line, from a run that was killed
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
