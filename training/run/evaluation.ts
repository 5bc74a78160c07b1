/** Gets the answers of a checkpoint or an ONNX file to a data set, for `bn-edge evaluate`. */
import { present } from '../arrays/index.ts';
import type { Backend } from '../backend/index.ts';
import type { Samples } from '../data/index.ts';
import { readBytes, unexpected, UserError } from '../files/index.ts';
import { modelSignature } from '../graph/index.ts';
import { loadModel } from '../checkpoint/index.ts';
import type { OutputKind } from '../objective/index.ts';
import { createEvaluator, runOverSamples } from '../trainer/index.ts';
import { reshaped } from './reshape.ts';

/** Logits or numbers, `[count, outputs]` row-major. */
export type Answers = Float32Array;

/** The known facts about a file's answers. */
export interface KnownOutput {
  readonly name: string;
  readonly kind: OutputKind;
}

/** Answers samples until it is released. */
export interface Answerer {
  readonly answer: (samples: Samples) => Promise<Answers>;
  readonly release: () => Promise<void>;
}

/** Joins the answers to parts of the samples. */
export function concatenated(parts: readonly Answers[]): Answers {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}

/** @throws UserError when the file is not a checkpoint that describes its network, or does not take such samples */
export const answersOfCheckpoint = async (path: string, samples: Samples, backend: Backend): Promise<Answers> =>
  answerOnce(await answererOfCheckpoint(path, backend), samples);

/**
 * @throws UserError when the file is not a checkpoint that describes its network; `answer` throws for samples that it
 * does not take
 */
export async function answererOfCheckpoint(path: string, backend: Backend): Promise<Answerer> {
  const { plan, tensors } = await loadModel(path);
  const evaluator = await createEvaluator(backend, plan);
  const answer = async (samples: Samples) => {
    const fitting = reshaped(samples, plan.network.inputShape);
    if (!fitting) throw otherShape(path, plan.network.inputShape, samples);
    return evaluator.logits(tensors, fitting.samples);
  };
  return { answer, release: evaluator.release };
}

async function answerOnce({ answer, release }: Answerer, samples: Samples): Promise<Answers> {
  try {
    return await answer(samples);
  } finally {
    await release();
  }
}

/** An ONNX file and what is known of it. */
export interface ModelFile {
  readonly path: string;
  /** The output as a card states it. Default: what the file itself states. */
  readonly known?: KnownOutput | undefined;
  /** The content of the file, where it differs from the file on disk. */
  readonly content?: Uint8Array | undefined;
}

/**
 * Answers samples with an ONNX file.
 *
 * @param note receives how samples or answers were converted
 * @throws UserError when the file is not an ONNX model from one tensor to logits, or does not take such samples
 */
export const answersOfModel = async (
  file: ModelFile,
  samples: Samples,
  backend: Backend,
  note?: (line: string) => void,
): Promise<Answers> => answerOnce(await answererOfModel(file, backend, note), samples);

/**
 * Opens an ONNX file that answers samples.
 *
 * @throws UserError when the file is not an ONNX model from one tensor to logits; `answer` throws for samples that it
 * does not take
 */
export async function answererOfModel(
  { path, known, content }: ModelFile,
  backend: Backend,
  note: (line: string) => void = () => undefined,
): Promise<Answerer> {
  const file = content ?? (await readBytes(path));
  const { input, output, session } = await explained(path, async () => {
    const { inputs, outputs } = modelSignature(file);
    const [input, ...more] = inputs;
    const output = outputs.find(({ name }) => name === (known?.name ?? 'logits')) ?? outputs[0];
    if (!input || !output || more.length > 0) throw unexpected(path, 'a model with one input', inputs.length);
    return { input, output, session: await backend.loadSession(file) };
  });
  const [batch, ...shape] = input.shape;
  const ports = {
    input: input.name,
    output: output.name,
    ...(typeof batch === 'number' && { batchSize: batch, isFixed: true }),
  };
  let isNoted = false;
  const answer = (samples: Samples) =>
    explained(path, async () => {
      const fitting = reshaped(samples, shape);
      if (!fitting) throw otherShape(path, shape, samples);
      const { how } = fitting;
      if (how && !isNoted) note(`samples [${samples.inputShape.join(', ')}] are given to ${path} as ${how}`);
      isNoted = true;
      const answers = await runOverSamples(session, fitting.samples, ports);
      return (known ? known.kind === 'probabilities' : areProbabilities(answers, samples.count))
        ? logitsOf(answers, samples.count)
        : answers;
    });
  return { answer, release: session.release };
}

/** Is true where each row has several numbers of at least 0 that add up to 1. */
function areProbabilities(answers: Answers, count: number): boolean {
  const width = answers.length / count;
  if (width < 2) return false;
  for (let row = 0; row < count; row++) {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const p = present(answers[i]);
      if (!(p >= 0)) return false;
      sum += p;
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return true;
}

/** Returns ln p, whose softmax is p again; for one probability a sample, ln (p / (1 − p)). */
const logitsOf = (answers: Answers, count: number): Answers =>
  answers.map((p) => {
    const logit = answers.length === count ? Math.log(p) - Math.log1p(-p) : Math.log(p);
    return Math.max(-maxLogit, Math.min(maxLogit, logit));
  });

/**
 * The limit of a logit whose probability float32 has rounded to 0 or 1, so that it is finite like all other answers.
 */
const maxLogit = 87;

/** Turns an error of a reader or ONNX Runtime about another program's file into one line that names the file. */
async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    const [reason = ''] = error.message.split('\n');
    throw new UserError(`${path}: ${reason}`, { cause: error });
  }
}

const otherShape = (path: string, shape: readonly (number | string)[], { inputShape }: Samples): UserError =>
  new UserError(`${path}: expected samples [${shape.join(', ')}], got [${inputShape.join(', ')}] in the data`);
