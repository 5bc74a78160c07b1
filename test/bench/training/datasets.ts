/** The data sets to train on: MNIST, and generated data of other sizes, since speed does not depend on the values. */
import { elementCount } from '../../../training/arrays/index.ts';
import { type ClassificationDataset, createRandom, loadMnist } from '../../../training/data/index.ts';

export type DataName = 'mnist' | 'pictures' | 'penguins' | 'table';

/** The number of categories of each column; 0 for numbers: island, four measurements, sex. */
export const penguinsCategories = [3, 0, 0, 0, 0, 2];
export const tableCategories = [...new Array<number>(16).fill(0), 4, 6, 12, 30];

export interface BenchData {
  readonly train: ClassificationDataset;
  /** Undefined for generated data. */
  readonly test?: ClassificationDataset;
}

const sources: { readonly [N in DataName]: (seed: number) => BenchData | Promise<BenchData> } = {
  mnist: (seed) => loadMnist({ seed }),
  pictures: (seed) => ({ train: pictures(seed, 8192) }),
  penguins: (seed) => ({ train: rows(seed, 266, penguinsCategories, 3) }),
  table: (seed) => ({ train: rows(seed, 50_000, tableCategories, 2) }),
};

/** @param copies repeats the training set so many times */
export async function loadBenchData(name: DataName, seed: number, copies = 1): Promise<BenchData> {
  const data = await sources[name](seed);
  return copies === 1 ? data : { ...data, train: repeated(data.train, copies) };
}

/** Generates bytes `[count, 3, 32, 32]` of ten classes, each of a different brightness. */
function pictures(seed: number, count: number): ClassificationDataset {
  const { uniform } = createRandom(seed).fork('pictures');
  const inputShape = [3, 32, 32];
  const size = elementCount(inputShape);
  const labels = Int32Array.from({ length: count }, () => Math.floor(uniform() * 10));
  const inputs = new Uint8Array(count * size);
  for (let i = 0; i < inputs.length; i++) inputs[i] = 20 * (labels[Math.floor(i / size)] ?? 0) + 60 * uniform();
  return dataset(inputs, inputShape, labels, 10);
}

/** Generates rows of categories, as indices, and of numbers that depend on the class; 0 categories mean a number. */
function rows(seed: number, count: number, categories: readonly number[], classes: number): ClassificationDataset {
  const { uniform } = createRandom(seed).fork('rows');
  const labels = Int32Array.from({ length: count }, () => Math.floor(uniform() * classes));
  const inputs = Float32Array.from({ length: count * categories.length }, (_, i) => {
    const places = categories[i % categories.length] ?? 0;
    if (places > 0) return Math.floor(uniform() * places);
    return (labels[Math.floor(i / categories.length)] ?? 0) + 3 * uniform();
  });
  return dataset(inputs, [categories.length], labels, classes);
}

const dataset = (
  inputs: ClassificationDataset['inputs'],
  inputShape: readonly number[],
  labels: Int32Array,
  classes: number,
): ClassificationDataset => ({
  task: 'classification',
  inputs,
  inputShape,
  count: labels.length,
  labels,
  classes: Array.from({ length: classes }, (_, k) => String(k)),
});

function repeated({ inputs, labels, count, ...others }: ClassificationDataset, copies: number): ClassificationDataset {
  const all =
    inputs instanceof Uint8Array ? new Uint8Array(inputs.length * copies) : new Float32Array(inputs.length * copies);
  const allLabels = new Int32Array(labels.length * copies);
  for (let copy = 0; copy < copies; copy++) {
    all.set(inputs, copy * inputs.length);
    allLabels.set(labels, copy * labels.length);
  }
  return { ...others, inputs: all, labels: allLabels, count: count * copies };
}
