/** Answers to a table that is too large to be held: its rows are read, answered and handed on, some at a time. */
import { type Dataset, joined, type KnownBlocks, subset } from '../data/index.ts';
import type { Answerer, Answers } from './evaluation.ts';
import { finiteRows, type Objective, type Reading } from '../objective/index.ts';
import { Interrupted } from '../process/index.ts';

/** Takes the answers as they come. */
export interface AnswerSink {
  /** Tables of so many bytes and more are answered as they are read; smaller ones are held. */
  readonly fromBytes: number;
  /** Rows that have been answered before: they are read, and no more. */
  readonly done: number;
  readonly write: (samples: Dataset, answers: Answers, objective: Objective, reading: Reading) => Promise<void>;
  /** Is told how many rows are answered, and the share of the file that is read. */
  readonly progress: (rows: number, share: number) => void;
  /** Ends the work behind the rows at hand. */
  readonly signal: AbortSignal;
  /** What to tell whoever has ended it. */
  readonly onInterrupted: () => string;
}

/** Rows that are answered at once. */
export const BLOCK_ROWS = 8192;

/** Scores are of the first rows: those of all would take more memory than the answers. */
const SCORED_ROWS = 1_000_000;

export interface AnsweredTable {
  /** How many rows the table has, and how many of the answers are no numbers. */
  readonly rows: number;
  readonly nonFinite: number;
  /** The rows to score, without their inputs, and the answers to them; none without labels, or where others were answered before. */
  readonly samples: Dataset;
  readonly answers: Answers;
}

/** @throws UserError where a row cannot be read, and when `sink.signal` is aborted */
export async function answerTable(
  { blocks, progress, isLabelled }: KnownBlocks,
  { answer }: Answerer,
  { done, write, progress: onProgress, signal, onInterrupted }: AnswerSink,
  objectiveOf: (samples: Dataset) => Objective,
  reading: Reading,
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

function concatenated(parts: readonly Answers[]): Answers {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
