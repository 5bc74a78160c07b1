/** Collects what a network needs to know about a table: categories, gaps, bins, and whether targets are numbers. */
import { at } from '../arrays/index.ts';
import { inputsOf } from '../columns/index.ts';
import { binEdges, type LoadedData, unseenCategories } from '../data/index.ts';
import { unexpected } from '../files/index.ts';
import { formatShape } from '../graph/index.ts';
import type { Units } from '../network/index.ts';
import type { OutputKind } from '../objective/index.ts';

type TableParts = Pick<LoadedData, 'train' | 'columns'>;

/** @throws UserError for samples that are not rows of numbers */
export function binsOf(
  { train, columns }: TableParts,
  bins: number,
  where: string,
): Required<Pick<Units, 'bins' | 'edges'>> {
  const inputs = inputsOf(columns ?? []);
  const isNumber = (feature: number) => columns === null || at(inputs, feature).categories === 0;
  if (train.inputShape.length > 1) {
    throw unexpected(where, 'rows of numbers', `samples of shape ${formatShape(train.inputShape)}`);
  }
  return { bins, edges: binEdges(train, bins, isNumber) };
}

/** Returns the units of the columns and the training part. */
export function unitsOf({ train, columns }: TableParts, output: OutputKind): Units {
  const inputs = inputsOf(columns ?? []);
  const unseen = unseenCategories(train, inputs);
  const indicators = [...inputs.keys()].filter((i) => inputs[i]?.indicator);
  return {
    ...(inputs.some(({ categories }) => categories > 0) && { categories: inputs.map(({ categories }) => categories) }),
    ...(unseen.some((ofColumn) => ofColumn.length > 0) && { unseen }),
    ...(inputs.some(({ fill }) => fill !== null) && { fills: inputs.map(({ fill }) => fill) }),
    ...(indicators.length > 0 && { indicators }),
    ...(output === 'number' && { standardizedTargets: true }),
  };
}
