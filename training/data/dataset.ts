/**
 * A data set in memory: one contiguous typed array of inputs beside one of targets, as they enter the training graph.
 * It knows nothing of files or networks.
 */
import { at as elementAt, elementCount } from '../arrays/index.ts';

/** `count` samples of one shape, row-major: the whole array is `[count, ...inputShape]`. */
export interface Samples {
  readonly inputs: Uint8Array | Float32Array;
  /** The shape of one sample, such as `[1, 28, 28]` (channels, rows, columns) or `[13]`. */
  readonly inputShape: readonly number[];
  readonly count: number;
  /** `[count]`, for rows of a table: the line of the file in which each row ends, counted from 1. */
  readonly lines?: Int32Array | undefined;
  /** `[count]`, for pictures: the path of each file, relative to the folder that was read. */
  readonly files?: readonly string[] | undefined;
  /**
   * `[count]`, for arrays: the index of each sample in its array, from 0. The indices of joined arrays continue from
   * one array to the next.
   */
  readonly places?: Int32Array | undefined;
}

export interface ClassificationDataset extends Samples {
  readonly task: 'classification';
  /** `[count]`, each an index into `classes`. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

export interface RegressionDataset extends Samples {
  readonly task: 'regression';
  /** `[count]`, the number to predict for each sample. */
  readonly values: Float32Array;
}

export type Dataset = ClassificationDataset | RegressionDataset;

/** Returns the classes of a data set; none where the targets are numbers. */
export const classesOf = (dataset: Dataset): readonly string[] =>
  dataset.task === 'classification' ? dataset.classes : [];

/** Joins the samples of data sets of one kind, in order. */
export function joined<D extends Dataset>(first: D, ...others: readonly D[]): D;
export function joined(first: Dataset, ...others: readonly Dataset[]): Dataset {
  const all = [first, ...others];
  const count = all.reduce((sum, part) => sum + part.count, 0);
  const length = count * elementCount(first.inputShape);
  const room = first.inputs instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  const inputs = fill(
    room,
    all.map((part) => part.inputs),
  );
  const lines = first.lines && {
    lines: fill(
      new Int32Array(count),
      all.map((part) => part.lines ?? []),
    ),
  };
  const places = first.places && { places: placesInAll(all) };
  const origins = { ...lines, ...places, ...(first.files && { files: all.flatMap(({ files = [] }) => files) }) };
  if (first.task === 'regression') {
    const values = all.map((part) => (part.task === 'regression' ? part.values : new Float32Array()));
    return { ...first, ...origins, count, inputs, values: fill(new Float32Array(count), values) };
  }
  const labels = all.map((part) => (part.task === 'classification' ? part.labels : new Int32Array()));
  return { ...first, ...origins, count, inputs, labels: fill(new Int32Array(count), labels) };
}

/**
 * Joins the indices of several parts. Parts may come from one array or from several: an array has one first sample, so
 * a second one begins another array, whose indices continue after those of the one before.
 */
function placesInAll(parts: readonly Samples[]): Int32Array {
  let [found, start]: [readonly number[], number] = [[], 0];
  for (const { places = new Int32Array() } of parts) {
    if (places.includes(0) && found.includes(start)) start = found.reduce((max, place) => Math.max(max, place), 0) + 1;
    const from = start;
    found = [...found, ...Array.from(places, (place) => place + from)];
  }
  return Int32Array.from(found);
}

function fill<T extends Uint8Array | Float32Array | Int32Array>(into: T, parts: readonly ArrayLike<number>[]): T {
  let at = 0;
  for (const part of parts) {
    into.set(part, at);
    at += part.length;
  }
  return into;
}

/** Returns the samples at `indices`, copied in that order. */
export function subset<D extends Samples>(dataset: D, indices: Int32Array): D;
export function subset(dataset: Samples | Dataset, indices: Int32Array): Samples | Dataset {
  const count = indices.length;
  const length = count * elementCount(dataset.inputShape);
  const chosen = dataset.inputs instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  const inputs = gatherRows(dataset.inputs, indices, chosen);
  const { lines, files, places } = dataset;
  const origins = {
    ...(lines && { lines: gatherRows(lines, indices, new Int32Array(count)) }),
    ...(places && { places: gatherRows(places, indices, new Int32Array(count)) }),
    ...(files && { files: Array.from(indices, (index) => elementAt(files, index)) }),
  };
  const samples = { ...origins, count, inputs };
  if (!('task' in dataset)) return { ...dataset, ...samples };
  return dataset.task === 'classification'
    ? { ...dataset, ...samples, labels: gatherRows(dataset.labels, indices, new Int32Array(count)) }
    : { ...dataset, ...samples, values: gatherRows(dataset.values, indices, new Float32Array(count)) };
}

/** Fills `into` with the rows at `indices`, like ONNX's Gather on axis 0. */
function gatherRows<T extends Uint8Array | Float32Array | Int32Array>(rows: T, indices: Int32Array, into: T): T {
  const size = into.length / indices.length;
  indices.forEach((index, position) => {
    into.set(rows.subarray(index * size, (index + 1) * size), position * size);
  });
  return into;
}
