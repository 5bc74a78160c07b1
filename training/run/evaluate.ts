/** Evaluates a checkpoint, or any ONNX file, on a data set. */
import type { Importance, Interval } from '../answers/index.ts';
import { type BackendName, createBackend } from '../backend/index.ts';
import { hasLearntFromValidation, loadModel, objectiveOf, type TrainedModel } from '../checkpoint/index.ts';
import type { Dataset, DataSource } from '../data/index.ts';
import { count, percent, releasing, unexpected } from '../files/index.ts';
import {
  type Baseline,
  baselineOf,
  type CheckedReport,
  type Fitted,
  finiteRows,
  importanceOf,
  type Objective,
  objectiveFor,
  type AnswerRule,
  answerRuleOf,
  type AnswerRuleOptions,
  reportOn,
  scaledBy,
} from '../objective/index.ts';
import { type AnsweredTable, type AnswerSink, answerTable, BLOCK_ROWS } from './answer-table.ts';
import { type Answerer, answererOfCheckpoint, answererOfModel, type Answers } from './evaluation.ts';
import { answerRuleFor, intervalOf, statedAnswerRule } from './answer-rule.ts';
import { type ChosenSamples, chooseSamples, type KnownModel, largeTable, type PartName } from './samples.ts';

export interface EvaluateOptions {
  /** A checkpoint of this project; otherwise `model` is evaluated. */
  readonly checkpoint?: string | undefined;
  /** An ONNX file that maps raw samples to logits or numbers. */
  readonly model?: string | undefined;
  /** The ONNX file's content, where it differs from the file. */
  readonly bytes?: Uint8Array | undefined;
  /** The known facts about the ONNX file: its columns and classes, and the kind of its answers. */
  readonly known?: KnownModel | undefined;
  /** The data to read instead of those that the checkpoint was trained on, or options to read these differently. */
  readonly data?: DataSource | undefined;
  /** Default: the test part of the data that the model was trained on, and all of any other data. */
  readonly part?: PartName | undefined;
  /** Decides whether a table without the label is refused (the default), or answered without scores. */
  readonly needsLabel?: boolean | undefined;
  /** Default: `native`. */
  readonly backend?: BackendName | undefined;
  /** Receives the answers to a large table as they are computed. Without it, all are held until the end. */
  readonly sink?: AnswerSink | undefined;
  /** How outputs are read as answers. Default: as the card says, or as fitted to the run's validation part. */
  readonly reading?: AnswerRuleOptions | undefined;
  /** Asks for the importance of each column. */
  readonly importance?: boolean | undefined;
}

export interface Evaluated extends ChosenSamples {
  /** Logits or numbers, a row for each sample. */
  readonly answers: Answers;
  /** The objective that the answers are judged by. */
  readonly objective: Objective;
  readonly report: CheckedReport;
  /**
   * The result of always giving the same answer: the best one for the training part, or for these samples where there
   * is no training part. Undefined without labels.
   */
  readonly baseline: Baseline | undefined;
  /**
   * The number of rows that the sink has received; the samples are the first of them, without inputs. Undefined where
   * the sink received none.
   */
  readonly taken: number | undefined;
  /** The rule by which outputs are read as answers in all results. */
  readonly reading: AnswerRule;
  /** The interval around numbers, and the share that it held; absent for classes, and where its width is unknown. */
  readonly interval?: Interval | undefined;
  /** Absent where it was not requested, and where the inputs are not columns. */
  readonly importance?: Importance | undefined;
}

const noReport = { metrics: {}, confusion: undefined } as const;

/** The number of answers for an evaluation with importance: at most some minutes for a usual network. */
const IMPORTANCE_ROWS = 1_000_000;

/**
 * Evaluates a checkpoint or a model.
 *
 * @param note receives what looks odd
 * @param onStage receives what is in progress
 * @throws UserError for a file that is neither, or that does not take such samples
 */
export async function evaluate(
  options: EvaluateOptions,
  note: (line: string) => void = () => undefined,
  onStage: (stage: string) => void = () => undefined,
): Promise<Evaluated> {
  const { checkpoint, model, known = {}, sink, reading: ruleOptions = {} } = options;
  const file = checkpoint ?? model;
  if (file === undefined) throw unexpected('evaluate', 'a checkpoint or a model', 'neither');
  const trained = checkpoint === undefined ? undefined : await loadModel(checkpoint);
  const about = trained ?? known;
  const stated = statedAnswerRule(file, about, ruleOptions);
  const backend = await createBackend(options.backend ?? 'native', {}, note);
  await using answerer = releasing(
    trained
      ? await answererOfCheckpoint(file, backend)
      : await answererOfModel({ path: file, known: known.output, content: options.bytes }, backend, note),
  );
  const judge = (samples: Dataset): Objective => (trained ? objectiveOf(trained) : objectiveFor(samples));
  if (!sink) onStage(`read the samples and run ${file}`);
  const fit = async (validation: Dataset | undefined): Promise<Fitted> => {
    const evaluation = { file, known: about, answerer, options: ruleOptions, stated };
    const fitted = await answerRuleFor(validation, evaluation, note);
    for (const line of fitted.notes) note(line);
    return fitted;
  };
  const { answers, taken, fitted, ...chosen } = await answered(about, answerer, judge, { ...options, fit }, note);
  const { samples } = chosen;
  noteOnSamples(options, chosen, trained, note);
  const importance = options.importance
    ? await importanceIn(chosen, about, judge(samples), note, onStage, scaled(answerer, fitted).answer)
    : undefined;
  const reading = answerRuleOf(fitted);
  return {
    ...chosen,
    answers,
    objective: judge(samples),
    taken: taken?.rows,
    reading,
    interval: intervalOf(fitted, samples, answers, chosen.isLabelled),
    importance,
    ...judged({ ...chosen, answers, taken }, judge(samples), reading),
  };
}

/** Notes where scores say little: on samples that the network has learnt from, and on pictures in an unknown form. */
function noteOnSamples(
  { checkpoint, model, known = {} }: EvaluateOptions,
  { part, samples }: ChosenSamples,
  trained: TrainedModel | undefined,
  note: (line: string) => void,
): void {
  if (part === 'validation' && hasLearntFromValidation(trained?.record)) {
    note(`${checkpoint} has learnt from these samples as well (--refit): --part test shows how it answers others`);
  }
  if (model !== undefined && samples.files && !known.picture) {
    note(`${model} is given bytes from 0 to 255: "picture" in its card.json says how else pictures become its input`);
  }
}

/**
 * Measures the importance of columns.
 *
 * @throws UserError where the inputs are not columns of a table, or there is nothing to compare answers with
 */
async function importanceIn(
  { samples, isLabelled }: ChosenSamples,
  { columns }: KnownModel,
  objective: Objective,
  note: (line: string) => void,
  onStage: (stage: string) => void,
  answer: (samples: Dataset) => Promise<Answers>,
): Promise<Importance | undefined> {
  if (!columns) throw unexpected('--importance', 'a model of the columns of a table', 'other inputs');
  if (!isLabelled || samples.inputs.length === 0)
    throw unexpected('--importance', 'rows with the label, which are held in memory', isLabelled ? 'too many' : 'none');
  const found = await importanceOf(answer, samples, columns, objective, {
    budget: IMPORTANCE_ROWS,
    progress: (share) => {
      onStage(`shuffle the columns among the rows: ${percent(share)}`);
    },
  });
  if (!found) note('without importance: some answers are no numbers, or there are too many columns');
  return found;
}

/** Returns the scores, as far as there are labels. */
function judged(
  { samples, train, answers, taken, isLabelled }: Omit<Answered, 'fitted'>,
  objective: Objective,
  reading: AnswerRule,
): Pick<Evaluated, 'report' | 'baseline'> {
  if (!isLabelled) {
    const nonFinite = taken?.nonFinite ?? samples.count - finiteRows(answers, samples.count).length;
    return { report: { ...noReport, nonFinite }, baseline: undefined };
  }
  const report = reportOn(samples, answers, objective, reading);
  return { report, baseline: baselineOf(objective, train ?? samples, samples) };
}

interface Answered extends ChosenSamples {
  readonly answers: Answers;
  readonly fitted: Fitted;
  readonly taken: Pick<AnsweredTable, 'rows' | 'nonFinite'> | undefined;
}

interface Request extends Pick<EvaluateOptions, 'data' | 'part' | 'needsLabel' | 'sink'> {
  /** Fits the answer rule to the part that was kept for it, where it is available. */
  readonly fit: (validation: Dataset | undefined) => Promise<Fitted>;
}

/** Divides the answers by the temperature. */
const scaled = ({ answer, release }: Answerer, { temperature }: Fitted): Answerer => ({
  answer: async (samples) => scaledBy(await answer(samples), temperature),
  release,
});

async function answered(
  model: KnownModel,
  answerer: Answerer,
  judge: (samples: Dataset) => Objective,
  { data, part, needsLabel = true, sink, fit }: Request,
  note: (line: string) => void,
): Promise<Answered> {
  const limits = { needsLabel, blockRows: BLOCK_ROWS, fromBytes: sink?.fromBytes ?? Infinity };
  const table = await largeTable(model, data, part, limits);
  if (!table || !sink) {
    const chosen = await chooseSamples(model, data, part, needsLabel);
    for (const line of chosen.notes ?? []) note(line);
    const fitted = await fit(chosen.validation);
    const answers = await scaled(answerer, fitted).answer(chosen.samples);
    return { ...chosen, answers, fitted, taken: undefined };
  }
  const fitted = await fit(undefined);
  const reading = answerRuleOf(fitted);
  const { samples, answers, ...taken } = await answerTable(table, scaled(answerer, fitted), sink, judge, reading);
  const { unknown, notes } = table.summary();
  for (const line of notes) note(line);
  const isLabelled = table.isLabelled && sink.done === 0;
  if (isLabelled && samples.count < taken.rows) note(`the scores are of the first ${count(samples.count)} rows`);
  return { samples, answers, fitted, part: 'all', unknown, source: table.source, notes, isLabelled, taken };
}
