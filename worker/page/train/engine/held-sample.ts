/** One of the samples held back, for people to see what the networks are asked about. */
import { inputsOf, type InputColumn } from '../../../../training/columns/index.ts';
import { elementCount, shortestFloat } from '../../../../training/files/index.ts';
import type { HeldSample } from './messages.ts';
import { maxHeld } from './settings.ts';
import type { Subject } from './subject.ts';

/** Of a row, for people. */
const maxCells = 24;

/** @returns undefined for the plane, whose samples show themselves, and where none is held back */
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
