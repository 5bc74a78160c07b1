/** Answers tables that are too large for memory: rows are read, answered and passed on in blocks. */
import { type Dataset, joined, type KnownBlocks, subset } from '../data/index.ts';
import { type Answerer, type Answers, concatenated } from './evaluation.ts';
import { finiteRows, type Objective, type AnswerRule } from '../objective/index.ts';
import { Interrupted } from '../process/index.ts';

/** Receives the answers as they are computed. */
export interface AnswerSink {
  /** The size in bytes from which tables are answered while they are read; smaller ones are held in memory. */
  readonly fromBytes: number;
  /** The number of rows that were answered before. They are read and skipped. */
  readonly done: number;
  readonly write: (samples: Dataset, answers: Answers, objective: Objective, reading: AnswerRule) => Promise<void>;
  /** Receives the number of answered rows, and the share of the file that has been read. */
  readonly progress: (rows: number, share: number) => void;
  /** Ends the work after the current rows. */
  readonly signal: AbortSignal;
  /** Returns the message of the error that ends the work. */
  readonly onInterrupted: () => string;
}

/** The number of rows that are answered at once. */
export const BLOCK_ROWS = 8192;

/** The maximum number of rows that scores are computed on: all rows would take more memory than the answers. */
const SCORED_ROWS = 1_000_000;

export interface AnsweredTable {
  /** `rows` counts the rows of the table, `nonFinite` the answers that are not finite. */
  readonly rows: number;
  readonly nonFinite: number;
  /**
   * The rows to score, without their inputs, and their answers. Without labels, or where other rows were answered
   * before, nothing is scored, and only the first block is kept, whose classes describe all.
   */
  readonly samples: Dataset;
  readonly answers: Answers;
}

/**
 * Answers a table.
 *
 * @throws UserError where a row cannot be read; Interrupted when `sink.signal` is aborted
 */
export async function answerTable(
  { blocks, progress, isLabelled }: KnownBlocks,
  { answer }: Answerer,
  { done, write, progress: onProgress, signal, onInterrupted }: AnswerSink,
  objectiveOf: (samples: Dataset) => Objective,
  reading: AnswerRule,
): Promise<AnsweredTable> {
  const parts: Pick<AnsweredTable, 'samples' | 'answers'>[] = [];
  const maxScored = isLabelled && done === 0 ? SCORED_ROWS : 0;
  let [rows, nonFinite] = [0, 0];
  for await (const block of blocks()) {
    const samples = withoutFirst(block, done - rows);
    rows += block.count;
    const answers = samples.count === 0 ? new Float32Array() : await answer(samples);
    if (samples.count > 0) await write(samples, answers, objectiveOf(samples), reading);
    onProgress(rows, progress());
    nonFinite += samples.count - finiteRows(answers, samples.count).length;
    if (parts.length === 0 || rows <= maxScored) parts.push({ samples: withoutInputs(samples), answers });
    if (signal.aborted) throw new Interrupted(signal, onInterrupted());
  }
  const [first, ...others] = parts.map(({ samples }) => samples);
  if (!first) throw new Error('internal: a table without rows passed');
  const answers = concatenated(parts.map(({ answers }) => answers));
  return { rows, nonFinite, samples: joined(first, ...others), answers };
}

function withoutFirst(block: Dataset, rows: number): Dataset {
  if (rows <= 0) return block;
  const left = Math.max(block.count - rows, 0);
  return subset(
    block,
    Int32Array.from({ length: left }, (_, i) => rows + i),
  );
}

const withoutInputs = (samples: Dataset): Dataset => ({ ...samples, inputs: new Float32Array(), inputShape: [0] });
