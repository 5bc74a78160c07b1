/** How good a checkpoint or an ONNX file is on data. */
import { type BackendName, createBackend } from '../../training/backend/index.ts';
import { loadModel } from '../../training/checkpoint/model.ts';
import { type Dataset, type DataSource, loadSource } from '../../training/data/index.ts';
import { unexpected } from '../../training/files/errors.ts';
import { type Report, reportOn } from '../../training/objective/index.ts';
import { type Answers, answersOfCheckpoint, answersOfModel } from '../../training/run/index.ts';

export interface EvaluateOptions {
  /** A checkpoint of this project; or else a model. */
  readonly checkpoint?: string | undefined;
  /** An ONNX file from raw samples to logits or numbers. */
  readonly model?: string | undefined;
  /** What to read in place of the data that the checkpoint was trained on, or of them. */
  readonly data?: DataSource | undefined;
  /** Of the data, split as in training; `test` when omitted. */
  readonly part?: 'train' | 'validation' | 'test' | undefined;
  /** `native` when omitted. */
  readonly backend?: BackendName | undefined;
}

export interface Evaluated {
  readonly samples: Dataset;
  /** Logits or numbers, a row for each sample. */
  readonly answers: Answers;
  readonly report: Report;
}

/** @throws UserError for a file that is neither, or that does not take such samples */
export async function evaluate(
  { checkpoint, model, data, part = 'test', backend: name = 'native' }: EvaluateOptions,
  note: (line: string) => void = () => undefined,
): Promise<Evaluated> {
  const file = checkpoint ?? model;
  if (file === undefined) throw unexpected('evaluate', '--checkpoint or --model', 'neither');
  const record = checkpoint === undefined ? undefined : (await loadModel(checkpoint)).record;
  const samples = (await loadSource({ ...record?.data.source, ...data }, record?.config.seed ?? 1))[part];
  const backend = await createBackend(name, {}, note);
  const answers = await (checkpoint === undefined ? answersOfModel : answersOfCheckpoint)(file, samples, backend);
  return { samples, answers, report: reportOn(samples, answers) };
}
