/** The data that a pair is trained on and tested with: points of a plane, digits, or rows of a table. */
import { at, elementCount } from '../../../../training/arrays/index.ts';
import { type Column, type InputColumn, inputsOf } from '../../../../training/columns/index.ts';
import { type ClassificationDataset, subset } from '../../../../training/data/index.ts';
import { shortestFloat } from '../../../../training/files/index.ts';
import type { Network } from '../../../../training/network/index.ts';
import type { PicturePreparation } from '../../../../training/pictures/index.ts';
import type { HeldSample } from './messages.ts';
import { maxHeld } from './settings.ts';

export interface Parts {
  readonly train: ClassificationDataset;
  /** The validation part. */
  readonly validation: ClassificationDataset;
}

export interface Subject extends Parts {
  readonly kind: 'plane' | 'digits' | 'table';
  /** Describes the input of both networks. */
  readonly network: Omit<Network, 'name' | 'layers'>;
  /** The columns of a table. */
  readonly columns?: readonly Column[];
  /** The preparation by which a picture of a digit becomes the input. */
  readonly picture?: PicturePreparation;
}

export const firstOf = (part: ClassificationDataset, max: number): ClassificationDataset =>
  part.count <= max
    ? part
    : subset(
        part,
        Int32Array.from({ length: max }, (_, i) => i),
      );

/** The maximum number of columns of a row that are shown. */
const maxCells = 24;

/**
 * Formats one sample of the validation part, so that the user sees what the networks are asked about.
 * @returns undefined for the plane, which shows its samples itself, and where the validation part is empty
 */
export function heldSample({ kind, validation, columns }: Subject, wanted: number): HeldSample | undefined {
  if (kind === 'plane' || validation.count === 0) return undefined;
  const index = Math.min(wanted, validation.count - 1, maxHeld - 1);
  const size = elementCount(validation.inputShape);
  const row = validation.inputs.slice(index * size, (index + 1) * size);
  const label = at(validation.labels, index);
  if (row instanceof Uint8Array) return { index, label, name: `digit ${index + 1}`, pixels: row };
  const cells = inputsOf(columns ?? []).map((input, i) => [input.name, textOf(input, at(row, i))] as const);
  return { index, label, name: `line ${at(validation.lines ?? [], index)}`, cells: cells.slice(0, maxCells) };
}

function textOf({ column, categories }: InputColumn, value: number): string {
  if (Number.isNaN(value)) return 'missing';
  if (categories === 0 || column.kind !== 'categorical') return String(shortestFloat(value));
  return column.categories[value] ?? 'another';
}
