/**
 * Checks the rows of a table: each number has to be one that its column can have, so that a slip is not answered as
 * another question.
 */
import type { Column } from '../../training/columns/column.ts';
import type { InputColumn } from '../../training/columns/prepare.ts';
import { RequestError } from '../errors.ts';
import type { Model } from '../models.ts';
import { elementsOf, type Tensor } from './datatypes.ts';

/** @throws RequestError naming row, column and what may stand there */
export function checkRows({ rows }: Pick<Model, 'rows'>, feeds: ReadonlyMap<string, Tensor>): void {
  for (const [name, inputs] of rows) {
    const tensor = feeds.get(name);
    if (tensor) checkTable(`tensor ${name}`, tensor, inputs);
  }
}

function checkTable(where: string, tensor: Tensor, inputs: readonly InputColumn[]): void {
  const { shape } = tensor;
  const [rows = 0, width] = shape;
  // A card that describes other rows than the file takes is ignored.
  if (shape.length !== 2 || width !== inputs.length) return;
  const data = elementsOf(tensor);
  for (let row = 0, at = 0; row < rows; row++) {
    for (const input of inputs) {
      const value = Number(data[at++]);
      if (!mayBe(value, input)) refuse(`${where}: row ${row}, column ${JSON.stringify(input.name)}`, value, input);
    }
  }
}

function mayBe(value: number, { fill, column }: InputColumn): boolean {
  if (Number.isNaN(value)) return fill !== null;
  if (column.kind !== 'categorical') return Number.isFinite(value);
  return Number.isInteger(value) && value >= 0 && value < column.categories.length;
}

function refuse(where: string, value: number, { column, fill }: InputColumn): never {
  const missing = fill === null ? ' (none was missing in training)' : ', or "NaN" where it is missing';
  throw new RequestError('unprocessable', `${where}: expected ${allowed(column)}${missing}, got ${value}`);
}

const MAX_NAMED = 20;

function allowed(column: Column): string {
  if (column.kind !== 'categorical') return 'a finite number';
  const { categories } = column;
  if (categories.length > MAX_NAMED) return `a category's index, 0 to ${categories.length - 1}`;
  return `a category's index, ${categories.map((category, index) => `${index} for ${JSON.stringify(category)}`).join(', ')}`;
}
