/**
 * KServe's V1 protocol, which is TensorFlow Serving's: rows in, predictions out, for whoever knows the columns and not the tensors.
 * https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol
 */
import type { Column } from '../../training/columns/column.ts';
import { expectationOf, rowPreparer } from '../../training/columns/prepare.ts';
import { describe, quote, RequestError } from '../http/errors.ts';
import type { Model } from '../models.ts';
import { numbersOf, type Tensor, type TensorInfo } from '../protocol/datatypes.ts';
import { runWith, statisticsNote } from '../protocol/infer.ts';
import { toFloatDigits } from '../protocol/numbers.ts';
import type { PredictRequest } from '../protocol/protocol.ts';
import type { PredictResponse } from '../protocol/responses.ts';
import { readInputs } from '../protocol/tensors.ts';
import { probabilitiesOf } from './kinds.ts';

type Answer = PredictResponse['predictions'][number];

/** @throws RequestError for rows that the model does not take, and where nobody says what it answers; InferenceError */
export function predict(model: Model, { instances }: PredictRequest, maxBatch: number): PredictResponse {
  const answerOf = answersOf(model);
  const { run, statistics } = runWith(model, undefined);
  const output = model.output?.name ?? '';
  const tensor = run(feedsOf(model, instances, maxBatch), [output]).get(output);
  if (tensor === undefined) throw new Error(`internal: no output ${output}`);
  const values = numbersOf(tensor);
  const size = values.length / instances.length;
  return {
    predictions: instances.map((_, i) => {
      const ofRow = Array.from(values.slice(i * size, (i + 1) * size));
      return ofRow.every(Number.isFinite) ? answerOf(ofRow) : answerOf(undefined);
    }),
    ...(statistics === 'batch' && { note: statisticsNote(model, instances.length) }),
  };
}

/** What a row's numbers say, by the kind of the output; undefined stands for what is no number. */
function answersOf({ name, path, output, labels }: Model): (values: readonly number[] | undefined) => Answer {
  if (!output) {
    const how = `set "output": {"name": …, "kind": "logits", "probabilities" or "number"} in models/${path}/card.json`;
    const got = `${name} does not say it: ${how} and build again, or use infer`;
    throw new RequestError('not found', `predict: expected a model that says what its output is, ${got}`);
  }
  const probabilities = probabilitiesOf[output.kind];
  const warnings = ['not a number'];
  if (!probabilities) {
    return (values) => {
      if (!values) return { value: null, warnings };
      const [first = NaN, ...others] = values.map(toFloatDigits);
      return others.length === 0 ? { value: first } : { values: [first, ...others] };
    };
  }
  return (values) => {
    if (!values) return { label: null, probability: null, warnings };
    const all = probabilities(values).map((probability, i): [label: string, probability: number] => [
      labels?.[i] ?? String(i),
      toFloatDigits(probability),
    ]);
    const [label, probability] = all.reduce((best, each) => (each[1] > best[1] ? each : best));
    return { label, probability, probabilities: Object.fromEntries(all) };
  };
}

function feedsOf(model: Model, instances: readonly unknown[], maxBatch: number): ReadonlyMap<string, Tensor> {
  const { name, columns = {}, session } = model;
  const [input, ...others] = session.inputs;
  if (!input || others.length > 0) {
    throw new RequestError('not found', `predict: expected a model with one input, ${name} has others: use infer`);
  }
  const ofRow = columns[input.name];
  const { shape, data, binary } = ofRow ? rowsOf(ofRow, instances) : numbersIn(instances, input);
  const parameters = binary && { binary_data_size: binary.byteLength };
  const request = { name: input.name, datatype: ofRow ? 'FP32' : input.datatype, shape, data, parameters };
  return readInputs([request], [binary], session.inputs, maxBatch);
}

interface Rows {
  readonly shape: number[];
  readonly data?: readonly unknown[] | undefined;
  readonly binary?: Uint8Array | undefined;
}

/** Nested arrays, which the model takes as they are. */
function numbersIn(instances: readonly unknown[], { name }: TensorInfo): Rows {
  const shape = [instances.length];
  for (let inner: unknown = instances[0]; Array.isArray(inner) && shape.length < 16; inner = (inner as unknown[])[0])
    shape.push(inner.length);
  const [first] = instances;
  if (typeof first === 'object' && first !== null && !Array.isArray(first)) {
    refuse('instances[0]', `expected numbers, as the card names no columns of ${name}, got an object`);
  }
  return { shape, data: instances };
}

/** Rows of a table: objects with the columns' names, or arrays in their order; a missing value is null or left out. */
function rowsOf(columns: readonly Column[], instances: readonly unknown[]): Rows {
  const { width, prepare } = rowPreparer(columns);
  const data = new Float32Array(instances.length * width);
  for (const [i, instance] of instances.entries()) {
    const complaint = prepare(cellsOf(columns, instance, `instances[${i}]`), data, i * width);
    if (!complaint) continue;
    const { column, objection } = complaint;
    const came = Array.isArray(instance) ? (instance as unknown[])[columns.indexOf(column)] : cell(instance, column);
    const expected =
      objection === 'missing' ? 'a value (none was missing in training)' : expectationOf(column, objection);
    refuse(`instances[${i}], column ${JSON.stringify(column.name)}`, `expected ${expected}, got ${shown(came)}`);
  }
  return { shape: [instances.length, width], binary: new Uint8Array(data.buffer) };
}

const cell = (instance: unknown, { name }: Column): unknown => (instance as Readonly<Record<string, unknown>>)[name];

function cellsOf(columns: readonly Column[], instance: unknown, where: string): readonly unknown[] {
  const names = columns.map(({ name }) => name);
  if (Array.isArray(instance)) {
    if (instance.length === columns.length) return instance as unknown[];
    return refuse(where, `expected ${columns.length} values (${names.join(', ')}), got ${instance.length}`);
  }
  if (typeof instance !== 'object' || instance === null) {
    return refuse(where, `expected an object or an array of ${names.join(', ')}, got ${describe(instance)}`);
  }
  const unknown = Object.keys(instance).find((key) => !names.includes(key));
  if (unknown !== undefined) refuse(where, `expected ${names.join(', ')}, got ${quote(unknown)}`);
  return columns.map((column) => (Object.hasOwn(instance, column.name) ? cell(instance, column) : undefined));
}

const shown = (value: unknown): string => (typeof value === 'string' ? quote(value) : describe(value));

function refuse(where: string, what: string): never {
  throw new RequestError('unprocessable', `${where}: ${what}`);
}
