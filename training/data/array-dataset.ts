/** A data set from two arrays: the inputs, and the label or value of each. */
import { elementCount, unexpected } from '../files/index.ts';
import { MAX_CATEGORIES, sortTexts } from './columns.ts';
import type { Dataset, Samples } from './dataset.ts';
import type { NpyArray, NpyData } from './npy.ts';

/**
 * Images without a channel axis, `[N, rows, columns]`, get one; any other shape is taken as it is, images as
 * `[N, channels, rows, columns]`. Bytes stay bytes, all other numbers become float32.
 *
 * @param task without it, labels of an integer type are classes, named by the number, and floating-point labels are
 *   values to predict.
 * @throws {UserError} for arrays that do not fit each other, a number that is not finite, or too many classes.
 */
export function arrayDataset(inputs: NpyArray, labels: NpyArray, task?: Dataset['task']): Dataset {
  const [count, ...shape] = inputs.shape;
  if (count === undefined || shape.length === 0) {
    throw unexpected(inputs.where, 'at least 2 dimensions (samples first)', `[${inputs.shape.join(', ')}]`);
  }
  if (count === 0) throw unexpected(inputs.where, 'samples', 'none');
  if (labels.shape[0] !== count || elementCount(labels.shape) !== count) {
    throw unexpected(labels.where, `shape [${count}], one for each sample`, `[${labels.shape.join(', ')}]`);
  }
  const samples: Samples = {
    inputs: inputs.data instanceof Uint8Array ? inputs.data : toFloat32(inputs),
    inputShape: shape.length === 2 ? [1, ...shape] : shape,
    count,
  };
  return (task ?? (isFloat(labels.data) ? 'regression' : 'classification')) === 'regression'
    ? { task: 'regression', ...samples, values: toFloat32(labels) }
    : { task: 'classification', ...samples, ...classesOf(labels) };
}

const isFloat = (data: NpyData) => data instanceof Float32Array || data instanceof Float64Array;

function toFloat32({ data, where }: NpyArray): Float32Array {
  const values = Float32Array.from(data as Iterable<number | bigint>, Number);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw unexpected(`${where}: element ${wrong}`, 'a finite float32', `${data[wrong] ?? ''}`);
  return values;
}

/** The different labels in order, and each sample's place among them. */
function classesOf({ data, where }: NpyArray): { readonly labels: Int32Array; readonly classes: readonly string[] } {
  const found = new Set<number | bigint>();
  for (const label of data as Iterable<number | bigint>) {
    found.add(label);
    if (found.size > MAX_CATEGORIES) throw unexpected(where, `at most ${MAX_CATEGORIES} classes`, 'more');
  }
  const classes = sortTexts([...found].map(String));
  const indices = new Map(classes.map((name, index) => [name, index]));
  const labels = Int32Array.from(data as Iterable<number | bigint>, (label) => indices.get(String(label)) ?? 0);
  return { labels, classes };
}
