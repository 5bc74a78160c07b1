/**
 * Reads data sets from NumPy's files: finds the arrays, makes data sets of the parts, and notes how the arrays were
 * understood.
 */
import { at } from '../arrays/index.ts';
import { printable, unexpected } from '../files/index.ts';
import type { PicturePreparation } from '../pictures/index.ts';
import { findConstantSamples } from './constant-samples.ts';
import { FloatPrecision, noteOnPrecision } from './float-precision.ts';
import {
  arrayDataset,
  type ArrayOptions,
  arraySamples,
  isChannelsLast,
  pictureOfArray,
  rangeOf,
} from './array-dataset.ts';
import { type ArrayPair, findArrays, findInputs } from './array-names.ts';
import type { Dataset, Samples } from './dataset.ts';
import type { DataSource } from './options.ts';
import { type NpyArray, type NpyTexts, openNpz, readNpy, readNpyOrTexts } from './npy.ts';

export interface ArrayParts {
  /** The parts that the file has. Without parts of its own, the whole file is the training part. */
  readonly parts: { readonly train: Dataset; readonly validation?: Dataset; readonly test?: Dataset };
  /** Undefined where the inputs are not pictures. */
  readonly picture: PicturePreparation | undefined;
  /** Tells the user how the arrays were understood, and what looks odd. */
  readonly notes: readonly string[];
}

/**
 * Reads the data sets of an .npz archive.
 *
 * @throws UserError naming the file and the array, and the flag that decides
 */
export async function readNpzArrays(
  path: string,
  options: ArrayOptions & Pick<DataSource, 'inputs' | 'label'>,
): Promise<ArrayParts> {
  const npz = await openNpz(path);
  const { train, validation, test } = findArrays(npz.names, options, path);
  const read = ({ inputs, label }: ArrayPair): Arrays => ({
    inputs: npz.numbers(inputs),
    labels: npz.numbersOrTexts(label),
  });
  return partsOf(read(train), validation && read(validation), test && read(test), options);
}

/**
 * Reads a data set from two .npy files.
 *
 * @throws UserError as `readNpzArrays` does
 */
export async function readNpyArrays(path: string, labels: string, options: ArrayOptions): Promise<ArrayParts> {
  const all = { inputs: await readNpy(path), labels: await readNpyOrTexts(labels) };
  return partsOf(all, undefined, undefined, options);
}

/**
 * Reads the inputs of a file that has no labels.
 *
 * @returns undefined for a file that holds no arrays, or that has labels
 * @throws UserError naming the file and the array
 */
export async function readInputsAlone(
  path: string,
  source: Pick<DataSource, 'inputs' | 'label' | 'layout'>,
): Promise<{ readonly samples: Samples; readonly notes: readonly string[] } | undefined> {
  const array = await inputsAlone(path, source);
  if (!array) return undefined;
  const notes = [`inputs: ${printable(array.where)} [${array.shape.join(', ')}]; no labels`];
  return { samples: arraySamples(array, source), notes };
}

async function inputsAlone(
  path: string,
  { inputs, label }: Pick<DataSource, 'inputs' | 'label'>,
): Promise<NpyArray | undefined> {
  if (/\.npy$/i.test(path)) return label === undefined ? readNpy(path) : undefined;
  if (!/\.npz$/i.test(path)) return undefined;
  const npz = await openNpz(path);
  const name = findInputs(npz.names, { inputs, label });
  return name === undefined ? undefined : npz.numbers(name);
}

interface Arrays {
  readonly inputs: NpyArray;
  readonly labels: NpyArray | NpyTexts;
}

function partsOf(
  all: Arrays,
  validation: Arrays | undefined,
  test: Arrays | undefined,
  options: ArrayOptions,
): ArrayParts {
  const train = arrayDataset(all.inputs, all.labels, options);
  const parts = {
    train,
    ...(validation && { validation: likeTraining(validation, train, options) }),
    ...(test && { test: likeTraining(test, train, options) }),
  };
  const picture = pictureOfArray(train);
  return { parts, picture, notes: notesOnArrays(all, parts, picture, options) };
}

/**
 * Makes the data set of a part, and requires the shapes and classes of the training part.
 *
 * @throws UserError where a part has other shapes or classes than the training part
 */
function likeTraining({ inputs, labels }: Arrays, train: Dataset, { layout }: ArrayOptions): Dataset {
  const part = arrayDataset(inputs, labels, {
    layout,
    task: train.task,
    ...(train.task === 'classification' && { classes: train.classes }),
  });
  if (part.inputShape.join() === train.inputShape.join()) return part;
  throw unexpected(
    inputs.where,
    `samples [${train.inputShape.join(', ')}] as training's`,
    `[${part.inputShape.join(', ')}]`,
  );
}

function notesOnArrays(
  { inputs, labels }: Arrays,
  { train, ...held }: ArrayParts['parts'],
  picture: PicturePreparation | undefined,
  { layout }: ArrayOptions,
): string[] {
  const [, ...shape] = inputs.shape;
  const { areEqual, constant } = findConstantSamples(train);
  const notes = [`inputs: ${printable(inputs.where)} [${inputs.shape.join(', ')}]; labels: ${printable(labels.where)}`];
  const parts = Object.keys(held);
  if (parts.length > 0) notes.push(`the samples for ${parts.join(' and ')} are those that the file has for it`);
  if (isChannelsLast(shape, layout) && layout === undefined) {
    notes.push(`images [${shape.join(', ')}] are taken as rows, columns and channels; --layout NCHW if they are not`);
  }
  notes.push(...notesOnColumns(inputs));
  if (areEqual) notes.push(`all ${train.count} samples are the same`);
  else if (constant.length > 0 && train.inputShape.length === 3) {
    notes.push(`${constant.length} of ${train.count} images are of one colour, such as number ${at(constant, 0)}`);
  }
  if (picture?.values === null) {
    const [lowest, highest] = rangeOf(train.inputs);
    notes.push(
      `numbers from ${lowest} to ${highest} are not those of pictures: the model will be served tensors, not pictures`,
    );
  } else if (picture?.values) {
    notes.push(
      `numbers from ${picture.values.join(' to ')}: pictures will be brought to these when the model is served`,
    );
  }
  return notes;
}

/** Returns notes on columns whose numbers float32 cannot tell apart. Only rows of float64 or integers are examined. */
function notesOnColumns({ data, shape: [count = 0, columns = 0, ...more] }: NpyArray): readonly string[] {
  if (more.length > 0 || data instanceof Float32Array || data instanceof Uint8Array) return [];
  return Array.from({ length: columns }, (_, column) => {
    const precision = new FloatPrecision();
    for (let row = 0; row < count; row++) precision.add(Number(data[row * columns + column]));
    return noteOnPrecision(`feature ${column}`, precision);
  })
    .flat()
    .slice(0, maxNotes);
}

const maxNotes = 10;
