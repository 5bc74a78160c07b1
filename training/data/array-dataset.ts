/** Makes a data set from two arrays: the inputs, and the label or value of each. */
import { elementCount, present } from '../arrays/index.ts';
import { quote, unexpected } from '../files/index.ts';
import { type PicturePreparation, plainPreparation } from '../pictures/index.ts';
import { MAX_CLASSES, sortTexts } from './profile.ts';
import type { Dataset, Samples } from './dataset.ts';
import { isTexts, type NpyArray, type NpyData, type NpyTexts } from './npy.ts';
import type { DataSource } from './options.ts';

export interface ArrayOptions extends Pick<DataSource, 'layout'> {
  /**
   * Chooses between classes and values to predict. When omitted, texts and labels of an integer type are classes (named
   * by the number), and floating-point labels are values. One-hot rows, in which one number is 1 and all others are 0,
   * are classes too: each class is the position of the 1.
   */
  readonly task?: Dataset['task'] | undefined;
  /**
   * The classes of the training part, which the labels must belong to. When omitted, the labels themselves define the
   * classes.
   */
  readonly classes?: readonly string[] | undefined;
}

/**
 * Makes a data set from arrays. Images without a channel axis, `[N, rows, columns]`, get one; images with channels last
 * become channels first; any other shape stays as it is. Bytes stay bytes, all other numbers become float32.
 *
 * @throws UserError for arrays that do not fit each other, a number that is not finite, or too many classes
 */
export function arrayDataset(inputs: NpyArray, labels: NpyArray | NpyTexts, options: ArrayOptions = {}): Dataset {
  const samples = arraySamples(inputs, options);
  const { count } = samples;
  const hot = options.task === 'regression' ? undefined : oneHot(labels, count);
  if (hot) return { task: 'classification', ...samples, ...classesAmong(hot, options.classes) };
  if (labels.shape[0] !== count || elementCount(labels.shape) !== count) {
    throw unexpected(labels.where, `shape [${count}], one for each sample`, `[${labels.shape.join(', ')}]`);
  }
  const { task = !isTexts(labels) && isFloat(labels.data) ? 'regression' : 'classification' } = options;
  if (task === 'classification') return { task, ...samples, ...classesAmong(labels, options.classes) };
  if (isTexts(labels)) throw unexpected(labels.where, 'numbers to predict', 'texts');
  return { task, ...samples, values: toFloat32(labels) };
}

/**
 * Returns the inputs alone, in the shape that `arrayDataset` gives them.
 *
 * @throws UserError for an array of fewer than two dimensions, without samples, or with a number that is not finite
 */
export function arraySamples(inputs: NpyArray, { layout }: Pick<ArrayOptions, 'layout'> = {}): Samples {
  const [count, ...shape] = inputs.shape;
  if (count === undefined || shape.length === 0) {
    throw unexpected(inputs.where, 'at least 2 dimensions (samples first)', `[${inputs.shape.join(', ')}]`);
  }
  if (count === 0) throw unexpected(inputs.where, 'samples', 'none');
  const places = Int32Array.from({ length: count }, (_, sample) => sample);
  return { count, places, ...inputsOf(inputs, shape, layout) };
}

/** Is true where images of this shape (without the axis of samples) have their channels behind rows and columns. */
export function isChannelsLast(shape: readonly number[], layout: DataSource['layout']): boolean {
  const [rows = 0, columns = 0, channels = 0] = shape;
  if (shape.length !== 3) return false;
  if (layout !== undefined) return layout === 'NHWC';
  // Where the first axis is 3, it is more likely to be the channels.
  return [1, 3, 4].includes(channels) && rows > channels && columns > channels && rows !== 3;
}

function inputsOf(
  array: NpyArray,
  shape: readonly number[],
  layout: DataSource['layout'],
): Pick<Samples, 'inputs' | 'inputShape'> {
  const inputs = array.data instanceof Uint8Array ? array.data : toFloat32(array);
  if (!isChannelsLast(shape, layout)) return { inputs, inputShape: shape.length === 2 ? [1, ...shape] : shape };
  const [rows = 0, columns = 0, channels = 0] = shape;
  return { inputs: channelsFirst(inputs, rows * columns, channels), inputShape: [channels, rows, columns] };
}

function channelsFirst<T extends Uint8Array | Float32Array>(inputs: T, area: number, channels: number): T {
  const result = inputs.slice() as T;
  const size = area * channels;
  for (let start = 0; start < inputs.length; start += size) {
    for (let channel = 0, to = start; channel < channels; channel++) {
      for (let from = start + channel; from < start + size; from += channels) result[to++] = present(inputs[from]);
    }
  }
  return result;
}

/**
 * Returns how pictures are prepared for a model of these inputs, as far as the range of the numbers tells what black
 * and white are. It is undefined where the inputs are not pictures.
 */
export function pictureOfArray({ inputs, inputShape }: Samples): PicturePreparation | undefined {
  const [channels, rows = 0, columns = 0] = inputShape;
  if (inputShape.length !== 3 || (channels !== 1 && channels !== 3)) return undefined;
  const plain = plainPreparation({ rows, columns }, channels);
  const values = blackAndWhite(...rangeOf(inputs));
  return values === 'bytes' ? plain : { ...plain, values };
}

export function rangeOf(values: Uint8Array | Float32Array): [lowest: number, highest: number] {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return [lowest, highest];
}

/** Returns the numbers that stand for black and white; null where the range does not tell. */
function blackAndWhite(lowest: number, highest: number): 'bytes' | [number, number] | null {
  if (lowest >= 0 && highest > 127 && highest <= 255) return 'bytes';
  if (highest <= 0.5 || highest > 1) return null;
  if (lowest >= 0) return [0, 1];
  return lowest >= -1 && lowest < -0.5 ? [-1, 1] : null;
}

const isFloat = (data: NpyData) => data instanceof Float32Array || data instanceof Float64Array;

function toFloat32({ data, where }: NpyArray): Float32Array {
  const values = Float32Array.from(data as Iterable<number | bigint>, Number);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw unexpected(`${where}: element ${wrong}`, 'a finite float32', String(data[wrong]));
  return values;
}

type Labels = Pick<NpyArray | NpyTexts, 'where' | 'data'>;

/** Returns the position of the 1 in each row of `[count, classes]`, or undefined where a row is not one-hot. */
function oneHot(
  labels: NpyArray | NpyTexts,
  count: number,
): (Labels & { readonly classes: readonly string[] }) | undefined {
  const [rows, classes = 0, ...more] = labels.shape;
  if (isTexts(labels) || rows !== count || classes < 2 || more.length > 0) return undefined;
  const data = new Int32Array(count).fill(-1);
  for (const [i, value] of labels.data.entries()) {
    if (Number(value) === 0) continue;
    const row = Math.floor(i / classes);
    if (Number(value) !== 1 || data[row] !== -1) return undefined;
    data[row] = i % classes;
  }
  if (data.includes(-1)) return undefined;
  return { where: labels.where, data, classes: Array.from({ length: classes }, (_, i) => String(i)) };
}

/**
 * Returns the classes, and the index of each sample's class. The classes are the known ones, or else the distinct
 * labels in order.
 */
function classesAmong(
  { data, where, classes: own }: Labels & { readonly classes?: readonly string[] },
  known: readonly string[] | undefined = own,
): { readonly labels: Int32Array; readonly classes: readonly string[] } {
  const texts = data as Iterable<string | number | bigint>;
  const classes = known ?? distinctLabels(texts, where);
  const indices = new Map(classes.map((name, index) => [name, index]));
  let sample = 0;
  const labels = Int32Array.from(texts, (label) => {
    const index = indices.get(String(label));
    if (index === undefined) {
      throw unexpected(
        `${where}: element ${sample}`,
        `one of training's ${classes.length} classes`,
        quote(String(label)),
      );
    }
    sample++;
    return index;
  });
  return { labels, classes };
}

function distinctLabels(labels: Iterable<string | number | bigint>, where: string): readonly string[] {
  const found = new Set<string | number | bigint>();
  for (const label of labels) {
    found.add(label);
    if (found.size > MAX_CLASSES) throw unexpected(where, `at most ${MAX_CLASSES} classes`, 'more');
  }
  return sortTexts([...found].map(String));
}
