/**
 * What normalizing by μ and σ makes of the data, before the first step: what cannot be scaled is refused, what is of no use is told.
 * The limits leave room for float32 arithmetic on every backend: differences from μ stay finite, and σ far from numbers that round to 0.
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
import { count, elementCount, quote, unexpected, UserError } from '../files/index.ts';
import type { Network } from '../network/index.ts';

const limits = {
  input: { largest: 2 ** 126, min: 2 ** -120 },
  /** Errors are squared in units of σ, and gradients divided by it. */
  target: { largest: 2 ** 110, min: 2 ** -100 },
} as const;

/** An input or the target as it is scaled. */
interface Scaled {
  readonly name: string;
  readonly mean: number;
  readonly deviation: number;
  readonly lowest: number;
  readonly highest: number;
  /** Whether there are different values beside this one. */
  readonly varies: (without: number) => boolean;
}

/**
 * @returns lines for people
 * @throws UserError naming all inputs that cannot be scaled, and where there is nothing to tell samples apart
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
    // Robust scaling takes no notice of it.
    ...(network.inputNormalization === 'robust' ? [] : shortened(inputs.flatMap(noteOnOutlier(data.train.count)))),
  ];
}

/** Whether any input is ever another, a gap beside a value included. */
function areDifferent({ inputs, inputShape, count }: Samples): boolean {
  const size = elementCount(inputShape);
  for (let i = size; i < size * count; i++) if (!Object.is(inputs[i], inputs[i % size])) return true;
  return false;
}

/** Bytes are within all limits. */
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
  return Array.from(mean, (mu, i) => ({
    name: nameOf(i),
    mean: mu,
    deviation: deviation[i] ?? NaN,
    lowest: lowest[i] ?? NaN,
    highest: highest[i] ?? NaN,
    varies: (without) => {
      const others = inputs.filter(
        (x, at) => x !== without && !Number.isNaN(x) && (per === 'channel' || at % mean.length === i),
      );
      return others.some((x) => x !== others[0]);
    },
  }));
}

const faultOf =
  (kind: keyof typeof limits) =>
  ({ name, deviation, lowest, highest }: Scaled): readonly string[] => {
    const { largest, min } = limits[kind];
    const farthest = -lowest > highest ? lowest : highest;
    const way = kind === 'input' ? '; give it another unit, or leave it out with --ignore' : '; give it another unit';
    if (!(Math.abs(farthest) <= largest)) {
      return [`${name}: expected numbers of up to ${short(largest)}, got ${short(farthest)}${way}`];
    }
    if (deviation === 0 || deviation >= min) return [];
    return [
      `${name}: expected numbers that vary by ${short(min)} or more, got a deviation of ${short(deviation)}${way}`,
    ];
  };

/** Of a table by name; a picture may have hundreds of pixels at its edges that never change. */
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

/** Between two float32 numbers of this size. */
const stepAt = (x: number): number => 2 ** (Math.floor(Math.log2(x)) - 23);

/** The deviation in steps that is fine enough. */
const manySteps = 128;

function noteOnSteps({ name, deviation, lowest, highest }: Scaled): readonly string[] {
  const step = stepAt(Math.max(-lowest, highest));
  if (deviation === 0 || deviation >= manySteps * step) return [];
  return [
    `${name}: float32 holds numbers around ${short(highest)} in steps of ${short(step)} only, and their deviation is ${short(deviation)}: subtract what they have in common`,
  ];
}

/** One number that is as good as all of the variance. */
const noteOnOutlier =
  (samples: number) =>
  ({ name, mean, deviation, lowest, highest, varies }: Scaled): readonly string[] => {
    const farthest = mean - lowest > highest - mean ? lowest : highest;
    const share = (farthest - mean) ** 2 / (deviation ** 2 * (samples - 1));
    if (deviation === 0 || samples < minSamples || share < 1 - 1e-6 || !varies(farthest)) return [];
    return [
      `${name}: ${short(farthest)} is so far from all other numbers that these count as equal; is it a missing value?`,
    ];
  };

const minSamples = 30;

const short = (x: number): string => String(Number(x.toPrecision(4)));

const maxNamed = 10;

const shortened = (texts: readonly string[]): readonly string[] =>
  texts.length > maxNamed ? [...texts.slice(0, maxNamed), `and ${texts.length - maxNamed} more`] : texts;
