/** Every answer as a line of a CSV file. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Dataset } from '../../training/data/index.ts';
import { makeFolder, readBytes, unexpected, writeAtomically } from '../../training/files/index.ts';
import { type Objective, objectiveRuleFor } from '../../training/objective/index.ts';

/**
 * Whatever lies there already must be what such a command wrote: a user's table, or the run itself, is easily named by mistake.
 *
 * @param begins how what it writes begins
 * @throws UserError for another file
 */
export async function requireReplaceable(flag: string, path: string, begins: RegExp): Promise<void> {
  if (!existsSync(path)) return;
  const start = Buffer.from(await readBytes(path)).toString('utf8', 0, 1_000);
  if (!begins.test(start))
    throw unexpected(flag, 'a new file, or one that it wrote before', `${path}, which holds something else`);
}

/** How a file of predictions begins. */
export const predictionsBegin = /^(line|sample),(expected,)?predicted/;

/** A row of a table goes by its line in the file, any other sample by its number, from 0. */
export async function writePredictions(
  path: string,
  samples: Dataset,
  answers: Float32Array,
  objective: Objective,
): Promise<void> {
  const { header, row } = objectiveRuleFor(objective, samples).predictions;
  const lines = [csvLine([samples.lines ? 'line' : 'sample', ...header(samples)])];
  for (let sample = 0; sample < samples.count; sample++) {
    lines.push(csvLine([String(samples.lines?.[sample] ?? sample), ...row(answers, samples, sample)]));
  }
  await makeFolder(dirname(path));
  await writeAtomically(path, lines.join(''));
}

/** As RFC 4180 has it, with the line ends of this platform's tools. */
const csvLine = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\n`;

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
