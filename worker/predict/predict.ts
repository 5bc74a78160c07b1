/**
 * Predicts by KServe's V1 protocol, which is TensorFlow Serving's: rows in, predictions out, for clients that know the
 * columns and not the tensors.
 * https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
 */
import { at } from '../../training/arrays/index.ts';
import type { CountRun, UnknownCategory } from '../drift/monitor.ts';
import { RequestError } from '../errors.ts';
import type { Unknown } from '../image.ts';
import { type Model, urlOf } from '../models.ts';
import type { Tensor } from '../protocol/datatypes.ts';
import { runWith, statisticsNote } from '../protocol/infer.ts';
import type { PredictResponse } from '../protocol/responses.ts';
import { readInputs } from '../protocol/tensors.ts';
import type { SentRow } from '../rows/read-rows.ts';
import { prepareRows, type Rows } from '../rows/prepare.ts';
import type { why as whyOf } from '../why/why.ts';
import { answerOf, valuesOf, warned } from './answer.ts';
import { classesOf } from './classify.ts';

/** @throws RequestError when nothing says what the model answers, or the model has several inputs */
export function checkPredicts({ name, path, output, session }: Model): void {
  if (session.inputs.length !== 1) {
    throw new RequestError('not found', `predict: expected a model with one input, ${name} has others: use infer`);
  }
  if (output) return;
  const how = `set "output": {"name": …, "kind": "logits", "probabilities", "class" or "number"} in models/${path}/card.json`;
  const got = `${name} does not say it: ${how} and build again, or use infer`;
  throw new RequestError('not found', `predict: expected a model that says what its output is, ${got}`);
}

/**
 * @param model one that `checkPredicts` lets pass
 * @param unknown undefined to do as the card says
 * @param why explains each row, when the request asks for it
 * @param countRun is called with the feeds of the run
 * @throws RequestError for rows that the model does not take; InferenceError
 */
export function predict(
  model: Model,
  sent: Rows,
  unknown: Unknown | undefined,
  maxBatch: number,
  why?: typeof whyOf,
  countRun?: CountRun,
): PredictResponse {
  if (why && !model.table) {
    throw new RequestError('not found', `explain: expected a model whose card names its columns, got ${model.name}`);
  }
  const { table } = model;
  const { rows } = sent;
  const { name = '', kind = 'number' } = model.output ?? {};
  const {
    tensor,
    warnings,
    unknown: others,
  } = table ? prepareRows(table, sent, unknown ?? model.unknown ?? 'refuse') : samplesIn(model, rows, maxBatch);
  const { run, statistics } = runWith(model, undefined, countRun && withUnknown(countRun, others));
  const feeds = new Map([[at(model.session.inputs, 0).name, tensor]]);
  const values = valuesOf('predict', model.name, name, run(feeds, [name]));
  const explanations = why && table ? why(model, table, tensor) : [];
  return {
    predictions: rows.map((_, i) => {
      const explanation = explanations[i];
      return {
        ...warned(answerOf(values[i] ?? [NaN], model, kind), warnings?.[i]),
        ...(explanation && { explanation }),
      };
    }),
    ...(statistics === 'batch' && { note: statisticsNote(model, rows.length) }),
  };
}

const withUnknown =
  (countRun: CountRun, unknown: readonly UnknownCategory[] | undefined): CountRun =>
  (feeds) => {
    countRun(feeds, unknown);
  };

interface Fed {
  readonly tensor: Tensor;
  readonly warnings?: readonly (readonly string[])[];
  readonly unknown?: readonly UnknownCategory[];
}

/** The maximum number of dimensions of samples that are given as nested arrays. */
const MAX_RANK = 16;

/** Reads nested arrays, which a model takes as they are when its card names no columns. */
function samplesIn(model: Model, rows: readonly SentRow[], maxBatch: number): Fed {
  const { inputs } = model.session;
  const { name = '', datatype = '' } = inputs[0] ?? {};
  const named = rows.find(({ row }) => typeof row === 'object' && row !== null && !Array.isArray(row));
  if (named) {
    const others = ['infer', ...(classesOf(model) ? ['classify'] : [])].map((end) => `${urlOf(model)}/${end}`);
    const got = `an object: use ${others.join(' or ')}`;
    const expected = `expected numbers, as the card names no columns of ${name}`;
    throw new RequestError('unprocessable', `${named.where}: ${expected}, got ${got}`);
  }
  const data = rows.map(({ row }) => row);
  // The length of the first array of each level; `readInputs` checks that the others are as long.
  const shape = [data.length];
  for (let [inner] = data; Array.isArray(inner) && shape.length < MAX_RANK; [inner] = inner as unknown[])
    shape.push(inner.length);
  const [tensor] = readInputs([{ name, datatype, shape, data, parameters: undefined }], [], inputs, maxBatch).values();
  if (!tensor) throw new Error('internal: no tensor was read');
  return { tensor };
}
