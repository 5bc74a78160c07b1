/** How good a checkpoint, or any ONNX file, is on a data set. */
import { type BackendName, createBackend } from '../backend/index.ts';
import { loadModel, objectiveOf } from '../checkpoint/index.ts';
import type { DataSource } from '../data/index.ts';
import { unexpected } from '../files/index.ts';
import {
  type Baseline,
  baselineOf,
  type CheckedReport,
  type Objective,
  objectiveFor,
  reportOn,
} from '../objective/index.ts';
import { type Answers, answersOfCheckpoint, answersOfModel, type KnownOutput } from './evaluation.ts';
import { type ChosenSamples, chooseSamples, type Known, type PartName } from './samples.ts';

export interface EvaluateOptions {
  /** A checkpoint of this project; or else a model. */
  readonly checkpoint?: string | undefined;
  /** An ONNX file from raw samples to logits or numbers. */
  readonly model?: string | undefined;
  /** The ONNX file's content, where it is not what lies there. */
  readonly bytes?: Uint8Array | undefined;
  /** What is known of the ONNX file: its columns and classes, and what its answers are. */
  readonly known?: (Known & { readonly output?: KnownOutput }) | undefined;
  /** What to read in place of the data that the checkpoint was trained on, or how else to read them. */
  readonly data?: DataSource | undefined;
  /** When omitted, the test part of the data that it was trained on, and all of any others. */
  readonly part?: PartName | undefined;
  /** Whether a table without the label is refused, which is the default, or answered without scores. */
  readonly needsLabel?: boolean | undefined;
  /** `native` when omitted. */
  readonly backend?: BackendName | undefined;
}

export interface Evaluated extends ChosenSamples {
  /** Logits or numbers, a row for each sample. */
  readonly answers: Answers;
  /** What they are judged by. */
  readonly objective: Objective;
  readonly report: CheckedReport;
  /** Of answering always the same: what suits the training part, or these samples where there is none; undefined without labels. */
  readonly baseline: Baseline | undefined;
}

const noReport = { metrics: {}, confusion: undefined } as const;

/** @throws UserError for a file that is neither, or that does not take such samples */
export async function evaluate(
  { checkpoint, model, bytes, known = {}, data, part, needsLabel, backend: name = 'native' }: EvaluateOptions,
  note: (line: string) => void = () => undefined,
): Promise<Evaluated> {
  const file = checkpoint ?? model;
  if (file === undefined) throw unexpected('evaluate', 'a checkpoint or a model', 'neither');
  const trained = checkpoint === undefined ? undefined : await loadModel(checkpoint);
  const chosen = await chooseSamples(trained ?? known, data, part, needsLabel);
  for (const line of chosen.notes ?? []) note(line);
  const backend = await createBackend(name, {}, note);
  const { samples, train } = chosen;
  const answers = trained
    ? await answersOfCheckpoint(file, samples, backend)
    : await answersOfModel(file, samples, backend, known.output, note, bytes);
  const objective = trained ? objectiveOf(trained) : objectiveFor(samples);
  const report = reportOn(samples, answers, objective);
  const { nonFinite } = report;
  if (!chosen.isLabelled)
    return { ...chosen, answers, objective, report: { ...noReport, nonFinite }, baseline: undefined };
  return { ...chosen, answers, objective, report, baseline: baselineOf(objective, train ?? samples, samples) };
}
