/** Turns a model's output into an answer for each sample, in the form of KServe's V1 protocol. */
import { at } from '../../training/arrays/index.ts';
import { RequestError } from '../errors.ts';
import type { Interval, ModelAbout, OutputKind } from '../image.ts';
import { numbersOf, type Tensor } from '../protocol/datatypes.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { RowPrediction } from '../protocol/responses.ts';
import { chosenClass, labelsThatApply, probabilitiesOf, type Read, predictedClassOf } from './kinds.ts';

/**
 * Returns the values of each sample, as JavaScript numbers.
 * @throws RequestError when the output has another shape than `[N, values]` or `[N]`
 */
export function valuesOf(
  where: string,
  name: string,
  output: string,
  outputs: ReadonlyMap<string, Tensor>,
): readonly (readonly number[])[] {
  const scores = outputs.get(output);
  if (scores === undefined) throw new Error(`internal: no output ${output}`);
  const [samples, width = 1, ...others] = scores.shape;
  if (samples === undefined || others.length > 0) {
    const got = `[${scores.shape.join(', ')}] of ${name}`;
    throw new RequestError('not found', `${where}: expected an output of shape [-1, classes], got ${got}: use infer`);
  }
  const values = numbersOf(scores);
  return Array.from({ length: samples }, (_, i) => values.slice(i * width, (i + 1) * width));
}

/** Turns the values of one sample into an answer. */
export function answerOf(
  values: readonly number[],
  model: Read & Pick<ModelAbout, 'interval'>,
  kind: OutputKind,
): RowPrediction {
  const probabilities = probabilitiesOf[kind];
  if (kind === 'number') return ofNumbers(values, model);
  if (!values.every(Number.isFinite)) return kind === 'multi-label' ? noLabels : noClass;
  return probabilities ? ofClasses(probabilities(values), model, kind) : chosenClass(values, model.labels);
}

const warnings = ['not a number'];
const noClass: RowPrediction = { label: null, probability: null, warnings };
const noLabels: RowPrediction = { labels: null, warnings };

function ofNumbers(values: readonly number[], { interval }: Pick<ModelAbout, 'interval'>): RowPrediction {
  const isOne = values.length === 1;
  const nothing = { value: null, ...(interval && { low: null, high: null }), warnings };
  if (!values.every(Number.isFinite)) return isOne ? nothing : { values: null, warnings };
  if (!isOne) return { values: values.map(toFloatDigits) };
  const value = at(values, 0);
  return { value: toFloatDigits(value), ...(interval && around(value, interval)) };
}

const around = (value: number, { halfWidth }: Interval) => ({
  low: toFloatDigits(value - halfWidth),
  high: toFloatDigits(value + halfWidth),
});

function ofClasses(probabilities: readonly number[], model: Read, kind: OutputKind): RowPrediction {
  const named = probabilities.map((value, i) => [model.labels?.[i] ?? String(i), toFloatDigits(value)] as const);
  const applying = labelsThatApply(kind, named, model);
  if (applying) return { labels: applying, probabilities: Object.fromEntries(named) };
  const [label, probability] = named[predictedClassOf(probabilities, model)] ?? [null, null];
  return { label, probability, probabilities: Object.fromEntries(named) };
}

/** Adds warnings in front of the answer's own. */
export const warned = (answer: RowPrediction, more: readonly string[] = []): RowPrediction =>
  more.length === 0 ? answer : { ...answer, warnings: [...more, ...(answer.warnings ?? [])] };
