/** Formats one sample of the validation part, so that the user sees what the networks are asked about. */
import { inputsOf, type InputColumn } from '../../../../training/columns/index.ts';
import { elementCount } from '../../../../training/arrays/index.ts';
import { shortestFloat } from '../../../../training/files/index.ts';
import type { HeldSample } from './messages.ts';
import { maxHeld } from './settings.ts';
import type { Subject } from './subject.ts';

/** The most columns of a row that are shown. */
const maxCells = 24;

/** @returns undefined for the plane, which shows its samples itself, and where the validation part is empty */
export function heldSample({ kind, validation, columns }: Subject, wanted: number): HeldSample | undefined {
  if (kind === 'plane' || validation.count === 0) return undefined;
  const index = Math.min(wanted, validation.count - 1, maxHeld - 1);
  const size = elementCount(validation.inputShape);
  const row = validation.inputs.slice(index * size, (index + 1) * size);
  const label = validation.labels[index] ?? NaN;
  if (row instanceof Uint8Array) return { index, label, name: `digit ${index + 1}`, pixels: row };
  const cells = inputsOf(columns ?? []).map((input, i) => [input.name, textOf(input, row[i] ?? NaN)] as const);
  return { index, label, name: `line ${validation.lines?.[index] ?? NaN}`, cells: cells.slice(0, maxCells) };
}

function textOf({ column, categories }: InputColumn, value: number): string {
  if (Number.isNaN(value)) return 'missing';
  if (categories === 0 || column.kind !== 'categorical') return String(shortestFloat(value));
  return column.categories[value] ?? 'another';
}
