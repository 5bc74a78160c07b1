/** How good a checkpoint, or any ONNX file, is on a data set. */
import { type BackendName, createBackend } from '../backend/index.ts';
import { loadModel, objectiveOf } from '../checkpoint/index.ts';
import type { Dataset, DataSource } from '../data/index.ts';
import { count, unexpected } from '../files/index.ts';
import {
  type Baseline,
  baselineOf,
  type CheckedReport,
  finiteRows,
  type Objective,
  objectiveFor,
  reportOn,
} from '../objective/index.ts';
import { type AnsweredTable, type AnswerSink, answerTable, BLOCK_ROWS } from './answer-table.ts';
import { type Answerer, answererOfCheckpoint, answererOfModel, type Answers } from './evaluation.ts';
import { type ChosenSamples, chooseSamples, type Known, largeTable, type PartName } from './samples.ts';

export interface EvaluateOptions {
  /** A checkpoint of this project; or else a model. */
  readonly checkpoint?: string | undefined;
  /** An ONNX file from raw samples to logits or numbers. */
  readonly model?: string | undefined;
  /** The ONNX file's content, where it is not what lies there. */
  readonly bytes?: Uint8Array | undefined;
  /** What is known of the ONNX file: its columns and classes, and what its answers are. */
  readonly known?: Known | undefined;
  /** What to read in place of the data that the checkpoint was trained on, or how else to read them. */
  readonly data?: DataSource | undefined;
  /** When omitted, the test part of the data that it was trained on, and all of any others. */
  readonly part?: PartName | undefined;
  /** Whether a table without the label is refused, which is the default, or answered without scores. */
  readonly needsLabel?: boolean | undefined;
  /** `native` when omitted. */
  readonly backend?: BackendName | undefined;
  /** Takes the answers to a large table as they come; all are held until the end when omitted. */
  readonly sink?: AnswerSink | undefined;
}

export interface Evaluated extends ChosenSamples {
  /** Logits or numbers, a row for each sample. */
  readonly answers: Answers;
  /** What they are judged by. */
  readonly objective: Objective;
  readonly report: CheckedReport;
  /** Of answering always the same: what suits the training part, or these samples where there is none; undefined without labels. */
  readonly baseline: Baseline | undefined;
  /** How many rows the sink has taken, of which the samples are the first ones, without inputs; undefined where it took none. */
  readonly taken: number | undefined;
}

const noReport = { metrics: {}, confusion: undefined } as const;

/**
 * @param note is told what is odd
 * @param onStage is told what is under way
 * @throws UserError for a file that is neither, or that does not take such samples
 */
export async function evaluate(
  { checkpoint, model, bytes, known = {}, data, part, needsLabel = true, backend: name, sink }: EvaluateOptions,
  note: (line: string) => void = () => undefined,
  onStage: (stage: string) => void = () => undefined,
): Promise<Evaluated> {
  const file = checkpoint ?? model;
  if (file === undefined) throw unexpected('evaluate', 'a checkpoint or a model', 'neither');
  const trained = checkpoint === undefined ? undefined : await loadModel(checkpoint);
  const backend = await createBackend(name ?? 'native', {}, note);
  const answerer = trained
    ? await answererOfCheckpoint(file, backend)
    : await answererOfModel({ path: file, known: known.output, content: bytes }, backend, note);
  const judge = (samples: Dataset): Objective => (trained ? objectiveOf(trained) : objectiveFor(samples));
  if (!sink) onStage(`read the samples and run ${file}`);
  const { answers, taken, ...chosen } = await answered(
    trained ?? known,
    answerer,
    judge,
    { data, part, needsLabel, sink },
    note,
  );
  await answerer.release();
  const { samples, train } = chosen;
  if (model !== undefined && samples.files && !known.picture) {
    note(`${model} is given bytes from 0 to 255: "picture" in its card.json says how else pictures become its input`);
  }
  const objective = judge(samples);
  const evaluated = { ...chosen, answers, objective, taken: taken?.rows };
  if (!chosen.isLabelled) {
    const nonFinite = taken?.nonFinite ?? samples.count - finiteRows(answers, samples.count).length;
    return { ...evaluated, report: { ...noReport, nonFinite }, baseline: undefined };
  }
  const report = reportOn(samples, answers, objective);
  return { ...evaluated, report, baseline: baselineOf(objective, train ?? samples, samples) };
}

interface Answered extends ChosenSamples {
  readonly answers: Answers;
  readonly taken: Pick<AnsweredTable, 'rows' | 'nonFinite'> | undefined;
}

async function answered(
  model: Known,
  answerer: Answerer,
  judge: (samples: Dataset) => Objective,
  { data, part, needsLabel, sink }: Pick<EvaluateOptions, 'data' | 'part' | 'sink'> & { readonly needsLabel: boolean },
  note: (line: string) => void,
): Promise<Answered> {
  const limits = { needsLabel, blockRows: BLOCK_ROWS, fromBytes: sink?.fromBytes ?? Infinity };
  const table = await largeTable(model, data, part, limits);
  if (!table || !sink) {
    const chosen = await chooseSamples(model, data, part, needsLabel);
    for (const line of chosen.notes ?? []) note(line);
    return { ...chosen, answers: await answerer.answer(chosen.samples), taken: undefined };
  }
  const { samples, answers, ...taken } = await answerTable(table, answerer, sink, judge);
  const { unknown, notes } = table.summary();
  for (const line of notes) note(line);
  const isLabelled = table.isLabelled && sink.done === 0;
  if (isLabelled && samples.count < taken.rows) note(`the scores are of the first ${count(samples.count)} rows`);
  return { samples, answers, part: 'all', unknown, source: table.source, notes, isLabelled, taken };
}
