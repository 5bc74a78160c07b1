/**
 * Shows one column in the form: a number with a slider, a choice of categories, or a date, and whether its value is
 * unknown.
 */
import type { CategoricalColumn, Column, DateColumn, NumericColumn } from '../../api/model.ts';
import { make } from '../../dom.ts';
import { number } from '../../format.ts';
import { type Cell, isTime, rangeOf, rounded, stepOf } from './row.ts';

export interface Field {
  readonly column: Column;
  readonly root: HTMLElement;
  readonly cell: () => Cell;
  readonly set: (cell: Cell) => void;
}

/** The part of a field that the visitor changes, without what is around it. */
interface Control {
  readonly elements: readonly HTMLElement[];
  /** The element that the label belongs to. */
  readonly main: HTMLInputElement | HTMLSelectElement;
  readonly cell: () => Cell;
  readonly set: (cell: Cell) => void;
}

/** @param onFocus is called when the visitor turns to this column */
export function createField(column: Column, id: string, onChange: () => void, onFocus: () => void): Field {
  const control = controlOf(column);
  const { main } = control;
  main.id = id;
  const label = make('label', { htmlFor: id, className: 'name' }, column.name);
  const unit =
    column.kind === 'numeric' && column.unit !== undefined ? [make('span', { className: 'unit' }, column.unit)] : [];
  const hint = make('p', { className: 'hint', id: `${id}-hint` }, hintOf(column));
  main.setAttribute('aria-describedby', hint.id);
  const unknown = column.required ? undefined : unknownBox(column.name);
  const root = make(
    'div',
    { className: `field ${column.kind}` },
    make('div', { className: 'field-head' }, make('span', {}, label, ...unit), ...(unknown ? [unknown.root] : [])),
    make('div', { className: 'control' }, ...control.elements),
    hint,
  );
  const isUnknown = (): boolean => unknown?.box.checked ?? false;
  function mark(): void {
    root.classList.toggle('is-unknown', isUnknown());
    const cell = control.cell();
    const isOutside =
      column.kind === 'numeric' && column.range !== undefined && !isUnknown() && !isWithin(column, cell);
    root.classList.toggle('is-outside', isOutside);
  }
  root.addEventListener('input', ({ target }) => {
    if (unknown && target !== unknown.box) unknown.box.checked = main.value === '';
    mark();
    onChange();
  });
  root.addEventListener('focusin', onFocus);
  return {
    column,
    root,
    cell: () => (isUnknown() ? null : control.cell()),
    set: (cell) => {
      if (unknown) unknown.box.checked = cell === null;
      if (cell !== null) control.set(cell);
      mark();
    },
  };
}

function unknownBox(name: string) {
  const box = make('input', { type: 'checkbox', ariaLabel: `${name} is unknown` });
  return { box, root: make('label', { className: 'unknown' }, box, 'unknown') };
}

const isWithin = ({ range: [min, max] = [-Infinity, Infinity] }: NumericColumn, cell: Cell): boolean =>
  cell === null || typeof cell === 'string' || (cell >= min && cell <= max);

function hintOf(column: Column): string {
  const missing = column.required ? [] : [`unknown counts as ${fillOf(column)}`];
  return [...seenIn(column), ...missing].join('; ') || 'none was missing in training';
}

function fillOf({ fill, kind }: Column & { readonly fill?: Cell }): string {
  if (kind === 'date') return 'a date in the middle';
  if (fill === undefined) return 'a place of its own';
  return typeof fill === 'number' ? number(fill) : fill;
}

function seenIn(column: Column): string[] {
  if (column.kind === 'categorical') return [`${column.categories.length} categories`];
  if (!column.range) return column.kind === 'date' ? [`${column.years[0]} to ${column.years[1]} in training`] : [];
  const ends = column.range.map((end) => (typeof end === 'number' ? number(end) : end));
  return [`${ends.join(' to ')} in training`];
}

function controlOf(column: Column): Control {
  switch (column.kind) {
    case 'numeric':
      return numericControl(column);
    case 'categorical':
      return categoricalControl(column);
    case 'date':
      return dateControl(column);
  }
}

function numericControl(column: NumericColumn): Control {
  const main = make('input', { type: 'text', inputMode: 'decimal', autocomplete: 'off' });
  const [min, max] = rangeOf(column);
  const slider = make('input', { type: 'range', ariaLabel: `${column.name}, from least to greatest` });
  // The ends are set first: a range clamps its value to the ends that it has at that time.
  Object.assign(slider, { min: String(min), max: String(max), step: 'any' });
  slider.addEventListener('input', () => {
    main.value = String(rounded(column, slider.valueAsNumber));
  });
  slider.addEventListener('keydown', (event) => {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    const step = Math.max(stepOf(column), (max - min) / 100);
    slider.value = String(slider.valueAsNumber + steps * step);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
  main.addEventListener('input', () => {
    if (Number.isFinite(Number(main.value))) slider.value = main.value;
  });
  return {
    elements: min < max ? [slider, main] : [main],
    main,
    cell: () => cellOfText(main.value),
    set: (cell) => {
      main.value = String(cell);
      slider.value = main.value;
    },
  };
}

function cellOfText(value: string): Cell {
  const text = value.trim();
  if (text === '') return null;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

function categoricalControl({ categories }: CategoricalColumn): Control {
  const main = make(
    'select',
    {},
    ...categories.map((category) => make('option', { value: category }, category || '(empty)')),
  );
  return {
    elements: [main],
    main,
    cell: () => main.value,
    set: (cell) => {
      main.value = String(cell);
    },
  };
}

function dateControl(column: DateColumn): Control {
  const type = isTime(column) ? 'time' : column.parts.includes('hour') ? 'datetime-local' : 'date';
  const main = make('input', { type });
  return {
    elements: [main],
    main,
    cell: () => (main.value === '' ? null : main.value.replace('T', ' ')),
    set: (cell) => {
      main.value = String(cell).replace(' ', type === 'datetime-local' ? 'T' : ' ');
    },
  };
}
