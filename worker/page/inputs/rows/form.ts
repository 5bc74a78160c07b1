/** Shows the form for one row: a field for each column, filled with a typical row at first. */
import type { Column } from '../../api/model.ts';
import { make } from '../../dom.ts';
import { createField } from './field.ts';
import { randomRow, type Row, typicalRow } from './row.ts';

export interface Form {
  readonly root: HTMLElement;
  readonly row: () => Row;
}

/**
 * @param onChange is called when the row has changed
 * @param onFocus is called with the column that the visitor turns to
 */
export function createForm(columns: readonly Column[], onChange: () => void, onFocus: (column: Column) => void): Form {
  const fields = columns.map((column, i) =>
    createField(column, `column-${i}`, onChange, () => {
      onFocus(column);
    }),
  );
  const set = (row: Row): void => {
    for (const { column, set: setCell } of fields) setCell(row[column.name] ?? null);
  };
  const button = (text: string, rowOf: () => Row): HTMLElement => {
    const element = make('button', { type: 'button', className: 'quiet' }, text);
    element.addEventListener('click', () => {
      set(rowOf());
      onChange();
    });
    return element;
  };
  set(typicalRow(columns));
  const tools = make(
    'div',
    { className: 'tools' },
    button('A typical row', () => typicalRow(columns)),
    button('Another row', () => randomRow(columns, Math.random)),
  );
  const grid = make('div', { className: 'fields' }, ...fields.map(({ root }) => root));
  const root = make('form', { className: 'row-form' }, tools, grid);
  root.addEventListener('submit', (event) => {
    event.preventDefault();
  });
  return { root, row: () => Object.fromEntries(fields.map(({ column, cell }) => [column.name, cell()])) };
}
