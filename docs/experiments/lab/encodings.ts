/**
 * Encodes pixels of 0–255 in the ways in which they enter a network: as μ and σ of its own input normalization, (x − μ)
 * / σ.
 */
import type { ClassificationDataset, InputStatistics } from '../../../training/data/index.ts';
import { elementCount, present } from '../../../training/arrays/index.ts';
import type { Lab } from './lab.ts';
import { range } from './range.ts';

export interface Encoding {
  readonly per: 'channel' | 'feature';
  readonly statistics: (lab: Lab, train: ClassificationDataset) => InputStatistics;
}

const fixed = (mean: number, deviation: number): InputStatistics => ({
  mean: Float64Array.of(mean),
  deviation: Float64Array.of(deviation),
});

export const encodings = {
  raw: { per: 'channel', statistics: () => fixed(0, 1) },
  scaled: { per: 'channel', statistics: () => fixed(0, 255) },
  normalized: { per: 'channel', statistics: (lab, train) => lab.inputStatistics(train, 'channel') },
  'by pixel': { per: 'feature', statistics: (lab, train) => lab.inputStatistics(train, 'feature') },
} as const satisfies Readonly<Record<string, Encoding>>;

export type EncodingName = keyof typeof encodings;
export const encodingNames = Object.keys(encodings) as readonly EncodingName[];

/** Returns rows `[samples, features]` as the network sees them. */
export function encode(
  { inputs, inputShape, count }: ClassificationDataset,
  { mean, deviation }: InputStatistics,
): readonly Float64Array[] {
  const size = elementCount(inputShape);
  return range(count).map((sample) =>
    Float64Array.from({ length: size }, (_, i) => {
      const group = mean.length === 1 ? 0 : i;
      const pixel = present(inputs[sample * size + i]);
      return (pixel - present(mean[group])) / (deviation[group] || Infinity);
    }),
  );
}
