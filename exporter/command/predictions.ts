/** Writes every answer as a line of a CSV file. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { at } from '../../training/arrays/index.ts';
import type { Dataset } from '../../training/data/index.ts';
import { cannotWrite, makeFolder, readBeginning, unexpected, writeAtomically } from '../../training/files/index.ts';
import { type Objective, objectiveRuleFor, type AnswerRule } from '../../training/objective/index.ts';

/**
 * Refuses to overwrite a file that such a command has not written: a user may name a table, or the run itself, by
 * mistake.
 *
 * @param begins matches the beginning of what the command writes
 * @throws UserError for any other file
 */
export async function requireReplaceable(flag: string, path: string, begins: RegExp): Promise<void> {
  if (path === '') throw unexpected(flag, 'a file', '""');
  if (!existsSync(path)) return;
  // Answers to a large table may take more bytes than can be read at once.
  if (!begins.test(new TextDecoder().decode(await readBeginning(path, 1_000))))
    throw unexpected(flag, 'a new file, or one that it wrote before', `${path}, which holds something else`);
}

/** Matches the beginning of a file of predictions. */
export const predictionsBegin = /^(line|file|sample),(expected,)?predicted/;

/**
 * Writes the predictions. A row of a table is named by its line in the file, a picture by its file, in their order, and
 * any other sample by its index in the array, from 0.
 */
export async function writePredictions(
  path: string,
  samples: Dataset,
  answers: Float32Array,
  objective: Objective,
  reading: AnswerRule = {},
): Promise<void> {
  await makeFolder(dirname(path));
  const lines = [headerOf(samples, objective, reading), ...linesOf(samples, answers, objective, reading)];
  await writeAtomically(path, lines.join(''));
}

const headerOf = (samples: Dataset, objective: Objective, reading: AnswerRule): string =>
  csvLine([naming(samples).column, ...objectiveRuleFor(objective, samples).predictions.header(samples, reading)]);

function linesOf(
  samples: Dataset,
  answers: Float32Array,
  objective: Objective,
  reading: AnswerRule,
): readonly string[] {
  const { row } = objectiveRuleFor(objective, samples).predictions;
  const { nameOf, order } = naming(samples);
  return order.map((sample) => csvLine([nameOf(sample), ...row(answers, samples, sample, reading)]));
}

function naming({ lines, files, places, count }: Dataset) {
  const order = Array.from({ length: count }, (_, sample) => sample);
  if (lines) return { column: 'line', nameOf: (sample: number) => String(at(lines, sample)), order };
  if (!files) {
    const placeOf = (sample: number): number => (places ? at(places, sample) : sample);
    return {
      column: 'sample',
      nameOf: (sample: number) => String(placeOf(sample)),
      order: order.sort((a, b) => placeOf(a) - placeOf(b)),
    };
  }
  const fileOf = (sample: number): string => at(files, sample);
  return { column: 'file', nameOf: fileOf, order: order.sort((a, b) => (fileOf(a) < fileOf(b) ? -1 : 1)) };
}

/** Predictions that are written, as they come, into a partial file. */
export interface GrowingPredictions {
  /** `done` counts the rows that an interrupted command has answered already. */
  readonly done: number;
  readonly append: (
    samples: Dataset,
    answers: Float32Array,
    objective: Objective,
    reading: AnswerRule,
  ) => Promise<void>;
  /** Renames the partial file to its final path. */
  readonly finish: () => Promise<void>;
  /** Removes the partial file. */
  readonly discard: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** `partial` is the path of the rows until then. */
  readonly partial: string;
}

/**
 * Resumes after the last whole line of an interrupted run of the same command.
 *
 * @param subject identifies the command's work: the bytes of the model, the table, its size and its time
 */
export async function growPredictions(
  path: string,
  subject: readonly (string | Uint8Array)[],
): Promise<GrowingPredictions> {
  const hash = createHash('sha256');
  for (const part of subject) hash.update(part).update('\0');
  const partial = `${path}.${hash.digest('hex').slice(0, 12)}.partial`;
  await makeFolder(dirname(path));
  const file = await open(partial, 'a+').catch((error: unknown) => {
    throw cannotWrite(partial, error);
  });
  let lines = await wholeLines(file);
  const done = Math.max(lines - 1, 0);
  return {
    done,
    partial,
    append: async (samples, answers, objective, reading) => {
      const header = lines === 0 ? [headerOf(samples, objective, reading)] : [];
      const text = [...header, ...linesOf(samples, answers, objective, reading)];
      lines += text.length;
      await file.appendFile(text.join('')).catch((error: unknown) => {
        throw cannotWrite(partial, error);
      });
    },
    finish: async () => {
      await file.sync();
      await file.close();
      await rename(partial, path);
    },
    discard: async () => {
      await file.close();
      await rm(partial, { force: true });
    },
    close: () => file.close(),
  };
}

/**
 * Counts the whole lines, and cuts off the rest. If the header spans several lines, because names of classes do, lines
 * do not correspond to rows: such a file is begun again.
 */
async function wholeLines(file: FileHandle): Promise<number> {
  const chunk = Buffer.alloc(1 << 20);
  let [lines, end, offset] = [0, 0, 0];
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset);
    if (bytesRead === 0) break;
    if (offset === 0 && opensQuote(chunk.toString('utf8', 0, Math.max(chunk.indexOf(0x0a), 0)))) break;
    for (let i = chunk.indexOf(0x0a); i >= 0 && i < bytesRead; i = chunk.indexOf(0x0a, i + 1)) {
      lines++;
      end = offset + i + 1;
    }
    offset += bytesRead;
  }
  await file.truncate(end);
  return lines;
}

const opensQuote = (line: string): boolean => line.split('"').length % 2 === 0;

/** Formats a line as in RFC 4180, but with the line ends of this platform's tools. */
const csvLine = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\n`;

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
