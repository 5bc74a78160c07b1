/** From scores to labels: which class each sample is, and how sure the model is of it. */
import { datatypes, type Tensor, type TensorInfo } from '../protocol/datatypes.ts';
import { RequestError } from '../http/errors.ts';
import { runWith, statisticsNote } from '../protocol/infer.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { Model } from '../models.ts';
import type { ClassifyOptions } from '../protocol/protocol.ts';
import type { ClassifyResponse, Prediction } from '../protocol/responses.ts';
import type { Samples } from '../protocol/samples.ts';

/** @throws RequestError where the model answers no scores per class; InferenceError */
export function classify(model: Model, samples: Samples, options: ClassifyOptions): ClassifyResponse {
  const { statistics = 'running' } = options;
  const scores = scoresOf(model);
  const outputs = runWith(model, statistics)(samples.feeds, [scores.name]);
  const answers = predictions(model, outputs.get(scores.name), options.top_k);
  const images = options.image ? samples.images() : [];
  return {
    model_name: model.name,
    model_version: model.version,
    ...(samples.id !== undefined && { id: samples.id }),
    statistics,
    ...(statistics === 'batch' && { note: statisticsNote(samples.batch) }),
    predictions: answers.map((answer, i) => ({ ...answer, ...(images[i] !== undefined && { image: images[i] }) })),
  };
}

/**
 * The output `[N, classes]` that holds one real number per class.
 * @throws RequestError where there is none
 */
export function scoresOf({ name, session }: Model): TensorInfo {
  const isScores = ({ datatype, shape }: TensorInfo): boolean =>
    datatypes[datatype].range?.integer === false && shape.length === 2;
  const scores = session.outputs.find(isScores);
  if (scores) return scores;
  throw new RequestError('not found', `${name}: expected a model with an output of shape [-1, classes], got none`);
}

/** One prediction per sample; the most probable classes first. */
export function predictions({ labels }: Model, scores: Tensor | undefined, topK: number): Prediction[] {
  if (scores === undefined) throw new Error('internal: no scores');
  const [samples = 0, classes = 0] = scores.shape;
  const numbers = Array.from<number | bigint, number>(scores.data as ArrayLike<number | bigint>, Number);
  return Array.from({ length: samples }, (_, i) => {
    const probabilities = probabilitiesOf(numbers.slice(i * classes, (i + 1) * classes));
    const top = probabilities
      .map((probability, index) => ({ label: labels?.[index] ?? String(index), index, probability }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, topK)
      .map((ranked) => ({ ...ranked, probability: toFloatDigits(ranked.probability) }));
    return { label: top[0]?.label ?? '', probability: top[0]?.probability ?? NaN, top };
  });
}

/** softmax(x) = exp(x − max) / Σ exp(x − max), unless the scores are probabilities already. */
function probabilitiesOf(scores: readonly number[]): number[] {
  const total = scores.reduce((sum, score) => sum + score, 0);
  if (Math.abs(total - 1) < 1e-3 && scores.every((score) => score >= 0)) return [...scores];
  const largest = Math.max(...scores);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}
