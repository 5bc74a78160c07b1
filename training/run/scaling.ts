/**
 * Checks before the first step what normalizing by μ and σ makes of the data: what cannot be scaled is refused, and
 * useless inputs are reported. The limits leave room for float32 arithmetic on every backend: differences from μ stay
 * finite, and σ is far from numbers that round to 0.
 */
import { inputsOf } from '../columns/index.ts';
import {
  inputRanges,
  type InputStatistics,
  inputStatistics,
  type LoadedData,
  type Samples,
  targetStatistics,
} from '../data/index.ts';
import { at, elementCount } from '../arrays/index.ts';
import { count, quote, unexpected, UserError } from '../files/index.ts';
import type { Network } from '../network/index.ts';

const limits = {
  input: { largest: 2 ** 126, min: 2 ** -120 },
  /** Errors are squared in units of σ, and gradients are divided by it. */
  target: { largest: 2 ** 110, min: 2 ** -100 },
} as const;

/** An input or the target with its statistics. */
interface Scaled {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  readonly lowest: number;
  readonly highest: number;
  /** Counts the known values: of a feature, one for each sample without a gap; of a channel, one for each pixel. */
  readonly known: () => number;
  /** Is true where there are different values besides `without`. */
  readonly varies: (without: number) => boolean;
}

/**
 * Checks the scaling of inputs and target.
 *
 * @returns notes for the user
 * @throws UserError naming all inputs that cannot be scaled, and where all samples are the same
 */
export function notesOnScaling(data: LoadedData, network: Network, label: string | undefined): readonly string[] {
  if (!areDifferent(data.train)) {
    throw unexpected('data', 'samples that differ', `the same inputs in all ${count(data.train.count)} to train on`);
  }
  const [inputs, targets] = [scaledInputs(data, network), scaledTarget(data, label)];
  const faults = [...inputs.flatMap(faultOf('input')), ...targets.flatMap(faultOf('target'))];
  if (faults.length > 0) throw new UserError(`data: ${shortened(faults).join('; ')}`);
  return [
    ...noteOnConstants(inputs, data.columns !== null),
    ...shortened([...inputs, ...targets].flatMap(noteOnSteps)),
    // Robust scaling is not affected by outliers.
    ...(network.inputNormalization === 'robust' ? [] : shortened(inputs.flatMap(noteOnOutlier))),
  ];
}

/** Is true where some input differs between samples; a gap differs from a value. */
function areDifferent({ inputs, inputShape, count }: Samples): boolean {
  const size = elementCount(inputShape);
  for (let i = size; i < size * count; i++) if (!Object.is(inputs[i], inputs[i % size])) return true;
  return false;
}

/** Returns the inputs that are scaled. Bytes are within all limits. */
function scaledInputs({ train, columns }: LoadedData, { inputNormalization }: Network): readonly Scaled[] {
  if (inputNormalization === 'none' || train.inputs instanceof Uint8Array) return [];
  const what = inputNormalization === 'channel' ? 'channel' : 'feature';
  const ofTable = columns && inputsOf(columns);
  const nameOf = (i: number) => (ofTable?.[i] ? `column ${quote(ofTable[i].name)}` : `${what} ${i}`);
  const all = scaled(train, inputStatistics(train, what), what, nameOf);
  return ofTable ? all.filter((_, i) => ofTable[i]?.categories === 0) : all;
}

function scaledTarget({ train }: LoadedData, label: string | undefined): readonly Scaled[] {
  if (train.task !== 'regression') return [];
  const values = { inputs: train.values, inputShape: [1], count: train.count };
  return scaled(values, targetStatistics(train), 'feature', () =>
    label === undefined ? 'label' : `label ${quote(label)}`,
  );
}

function scaled(
  samples: Samples,
  { mean, deviation }: InputStatistics,
  per: 'channel' | 'feature',
  nameOf: (i: number) => string,
): readonly Scaled[] {
  const { lowest, highest } = inputRanges(samples, per);
  const { inputs } = samples;
  const size = elementCount(samples.inputShape);
  const indexOf = (place: number): number => Math.floor(((place % size) * mean.length) / size);
  return Array.from(mean, (mu, i) => ({
    name: nameOf(i),
    mean: mu,
    deviation: at(deviation, i),
    lowest: at(lowest, i),
    highest: at(highest, i),
    known: () => inputs.filter((x, place) => !Number.isNaN(x) && indexOf(place) === i).length,
    varies: (without) => {
      const others = inputs.filter((x, place) => x !== without && !Number.isNaN(x) && indexOf(place) === i);
      return others.some((x) => x !== others[0]);
    },
  }));
}

const faultOf =
  (kind: keyof typeof limits) =>
  ({ name, deviation, lowest, highest }: Scaled): readonly string[] => {
    const { largest, min } = limits[kind];
    const farthest = -lowest > highest ? lowest : highest;
    const remedy =
      kind === 'input' ? '; give it another unit, or leave it out with --ignore' : '; give it another unit';
    if (!(Math.abs(farthest) <= largest)) {
      return [`${name}: expected numbers of up to ${short(largest)}, got ${short(farthest)}${remedy}`];
    }
    if (deviation === 0 || deviation >= min) return [];
    return [
      `${name}: expected numbers that vary by ${short(min)} or more, got a deviation of ${short(deviation)}${remedy}`,
    ];
  };

/**
 * Returns a note on inputs that never change. Those of a table are named; a picture may have hundreds of such pixels at
 * its edges.
 */
function noteOnConstants(inputs: readonly Scaled[], isTable: boolean): readonly string[] {
  const constant = inputs.filter(({ deviation }) => deviation === 0).map(({ name }) => name);
  const [first] = constant;
  if (first === undefined) return [];
  const effect = 'in training: what it is later changes no answer';
  if (constant.length === 1) return [`${first} never changes ${effect}`];
  const names = isTable
    ? shortened(constant).join(', ')
    : `${count(constant.length)} of ${count(inputs.length)} inputs, such as ${first},`;
  return [`${names} never change ${effect.replace('it is', 'they are')}`];
}

/** Returns the distance between two neighbouring float32 numbers of this size. */
const stepAt = (x: number): number => 2 ** (Math.floor(Math.log2(x)) - 23);

/** A deviation of this many steps is fine enough. */
const manySteps = 128;

function noteOnSteps({ name, deviation, lowest, highest }: Scaled): readonly string[] {
  const step = stepAt(Math.max(-lowest, highest));
  if (deviation === 0 || deviation >= manySteps * step) return [];
  return [
    `${name}: float32 holds numbers around ${short(highest)} in steps of ${short(step)} only, and their deviation is ${short(deviation)}: subtract what they have in common`,
  ];
}

/** Returns a note where a single number makes up nearly all of the variance. */
function noteOnOutlier({ name, mean, deviation, lowest, highest, known, varies }: Scaled): readonly string[] {
  if (deviation === 0) return [];
  const farthest = mean - lowest > highest - mean ? lowest : highest;
  const distance = ((farthest - mean) / deviation) ** 2;
  /** Is true where the number makes up nearly all of the variance of so many. */
  const prevails = (values: number): boolean => distance >= NEARLY_ALL * (values - 1);
  // Counting takes a pass over all inputs, which hardly any feature needs.
  if (!prevails(minValues)) return [];
  const values = known();
  if (values < minValues || !prevails(values) || !varies(farthest)) return [];
  return [
    `${name}: ${short(farthest)} is so far from all other numbers that these count as equal; is it a missing value?`,
  ];
}

const NEARLY_ALL = 1 - 1e-6;
/** The number of values below which one may be far from the others by chance. */
const minValues = 30;

const short = (x: number): string => String(Number(x.toPrecision(4)));

const maxNamed = 10;

const shortened = (texts: readonly string[]): readonly string[] =>
  texts.length > maxNamed ? [...texts.slice(0, maxNamed), `and ${texts.length - maxNamed} more`] : texts;
