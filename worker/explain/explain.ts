/**
 * Looks inside every Batch Norm layer, for `POST …/explain`: reports its input (z), the normalized input (ẑ) and its
 * output (z̃), by the running statistics and by those of the mini-batch. (The folder `why/` explains answers to rows.)
 */
import { elementCount, present } from '../../training/arrays/index.ts';
import { foldedInto, type AffineMap } from './batch-norm.ts';
import { RequestError } from '../errors.ts';
import type { BatchNormLayer } from '../image.ts';
import type { Model } from '../models.ts';
import { answerOf, valuesOf } from '../predict/answer.ts';
import { checkOutputs, classesOf, predictions, type Classes } from '../predict/classify.ts';
import { elementsOf, type Tensor } from '../protocol/datatypes.ts';
import { whyNoTwin } from '../protocol/infer.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { ExplainOptions, Statistics } from '../protocol/protocol.ts';
import type { ExplainResponse, Prediction, RowPrediction } from '../protocol/responses.ts';
import type { Samples } from '../protocol/samples.ts';
import { mapSummary, momentsOf, summarize, type Moments, type Summary } from './summary.ts';

type Layer = ExplainResponse['layers'][number];
type View = Layer['running'];
type Signal = View['z'];

/**
 * Runs the network twice, once with the running statistics in every layer and once with those of this mini-batch.
 * @throws RequestError when the model has no twin, or the mini-batch no such sample; InferenceError
 */
export function explain(model: Model, samples: Samples, options: ExplainOptions): ExplainResponse {
  const { feeds, batch, id } = samples;
  const { name, version, batchNorm, switchable, output } = model;
  if (!switchable) {
    throw new RequestError('not found', `explain: expected a model with a twin, got ${name}: ${whyNoTwin(model)}`);
  }
  if (options.sample >= batch) {
    throw new RequestError('malformed', `sample: expected one of ${batch}, counted from 0, got ${options.sample}`);
  }
  const classes = classesOf(model);
  if (classes) checkOutputs(classes, samples);
  const fetches = [...new Set([...(output ? [output.name] : []), ...batchNorm.map(({ input }) => input)])];
  const running = switchable.running(feeds, fetches);
  const own = switchable.batch(feeds, fetches);
  const predict = (by: Classes, values: ReadonlyMap<string, Tensor>): Prediction => {
    const prediction = predictions(model, by, values, options.top_k)[options.sample];
    if (prediction === undefined) throw new Error(`internal: no prediction of sample ${options.sample}`);
    return prediction;
  };
  // An output of more dimensions, such as a picture, is not an answer that fits a row.
  const answered = output && tensorIn(running, output.name).shape.length <= 2 ? output : undefined;
  const answer = (values: ReadonlyMap<string, Tensor>, { name: of, kind }: NonNullable<typeof output>): RowPrediction =>
    answerOf(valuesOf('explain', name, of, values)[options.sample] ?? [], model, kind);
  const response: ExplainResponse = {
    model_name: name,
    model_version: version,
    ...(id !== undefined && { id }),
    batch_size: batch,
    sample: options.sample,
    ...(classes && { predictions: { running: predict(classes, running), batch: predict(classes, own) } }),
    ...(answered && { answers: { running: answer(running, answered), batch: answer(own, answered) } }),
    layers: batchNorm.map((layer) => explainLayer(layer, { running, batch: own }, options)),
  };
  [running, own].forEach(discard);
  return response;
}

/**
 * Frees the memory at once. The garbage of successive requests is collected later than an isolate can wait: with 16
 * clients and 64 samples each, 340 MiB of it were there at a time.
 */
function discard(values: ReadonlyMap<string, Tensor>): void {
  for (const { data } of values.values()) if ('transfer' in data.buffer) data.buffer.transfer(0);
}

function explainLayer(
  layer: BatchNormLayer,
  values: Readonly<Record<Statistics, ReadonlyMap<string, Tensor>>>,
  options: ExplainOptions,
): Layer {
  const running = tensorIn(values.running, layer.input);
  const batch = tensorIn(values.batch, layer.input);
  const { name, gamma, beta, epsilon, runningMean, runningVar } = layer;
  const channels = gamma.length;
  const shape = running.shape.slice(1);
  const ofBatch = momentsOf(numbersOf(batch), channels, elementCount(shape) / channels);
  return {
    name,
    channels,
    shape,
    epsilon,
    gamma,
    beta,
    running: view(layer, running, { mean: runningMean, variance: runningVar }, options),
    batch: view(layer, batch, ofBatch, options),
  };
}

/** Computes ẑ = (z − μ) / √(σ² + ε) and z̃ = γ ẑ + β. Both are affine in z, and so are their summaries. */
function view(layer: BatchNormLayer, z: Tensor, { mean, variance }: Moments, options: ExplainOptions): View {
  const channels = layer.gamma.length;
  const size = elementCount(z.shape.slice(1));
  const sample = numbersOf(z).subarray(options.sample * size, (options.sample + 1) * size);
  const summary = summarize(sample, channels, size / channels, options.bins);
  const standard = { ...layer, gamma: layer.gamma.map(() => 1), beta: layer.beta.map(() => 0) };
  const signal = (map: AffineMap): Signal => ({
    ...rounded(mapSummary(summary, map)),
    ...(options.tensors && { data: mapValues(sample, map) }),
  });
  return {
    mean: mean.map(toFloatDigits),
    variance: variance.map(toFloatDigits),
    z: signal({ scale: mean.map(() => 1), shift: mean.map(() => 0) }),
    z_hat: signal(foldedInto(standard, mean, variance)),
    z_tilde: signal(foldedInto(layer, mean, variance)),
  };
}

/** @param values `[C, size]` */
function mapValues(values: Float32Array, { scale, shift }: AffineMap): number[] {
  const size = values.length / scale.length;
  return Array.from(values, (value, i) => {
    const channel = Math.floor(i / size);
    return toFloatDigits(present(scale[channel]) * value + present(shift[channel]));
  });
}

function rounded({ mean, variance, minimum, maximum, counts }: Summary): Summary {
  return {
    mean: mean.map(toFloatDigits),
    variance: variance.map(toFloatDigits),
    minimum: minimum.map(toFloatDigits),
    maximum: maximum.map(toFloatDigits),
    counts,
  };
}

function numbersOf(tensor: Tensor): Float32Array {
  const elements = elementsOf(tensor);
  return elements instanceof Float32Array ? elements : Float32Array.from<number | bigint>(elements, Number);
}

function tensorIn(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = values.get(name);
  if (tensor === undefined) throw new Error(`internal: no tensor ${name}`);
  return tensor;
}
