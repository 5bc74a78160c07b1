/** Lays out tables and long lists in the terminal. */
import Table from 'cli-table3';
import { at } from '../../training/arrays/index.ts';

/**
 * Makes a table without lines between its rows. All columns but the first, or those in `left`, are aligned to the
 * right.
 */
export const plainTable = (
  head: readonly string[],
  left: readonly string[] = head.slice(0, 1),
  options: Table.TableConstructorOptions = {},
): Table.Table =>
  new Table({
    ...options,
    head: [...head],
    colAligns: head.map((name) => (left.includes(name) ? 'left' : 'right')),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });

/**
 * The width of what is printed, and of a terminal that does not state its own. Lines that stay are no wider, however wide
 * the terminal is, so that they look the same in a log.
 */
export const lineWidth = 80;

/** A column whose cells may be wrapped, by its number, and its minimum width with its edges. */
export type Yielding = readonly [column: number, minWidth: number];

/**
 * Returns a table that is no wider than a line, if that is possible: cells of some columns are wrapped.
 *
 * @param yielding the columns whose cells may be wrapped, the first ones first
 */
export function fittedTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left, yielding }: { readonly left: readonly string[]; readonly yielding: readonly Yielding[] },
): string {
  const drawn = (options?: Table.TableConstructorOptions) => {
    const table = plainTable(head, left, options);
    table.push(...rows.map((cells) => [...cells]));
    return table.toString();
  };
  const natural = drawn();
  const [border = ''] = natural.split('\n');
  const widths = border
    .slice(1, -1)
    .split('┬')
    .map(({ length }) => length);
  let over = border.length - lineWidth;
  if (over <= 0) return natural;
  for (const [column, minWidth] of yielding) {
    const width = at(widths, column);
    widths[column] = Math.max(Math.min(width, minWidth), width - over);
    over = Math.max(0, over - width + widths[column]);
  }
  return drawn({ colWidths: widths, wordWrap: true });
}

/**
 * Joins parts, on as many lines as they need. A part that is longer than a line is not cut.
 *
 * @param start of the first line
 * @param indent of the others
 */
export function inLines(
  parts: readonly string[],
  {
    start = '',
    between,
    indent = '  ',
  }: { readonly start?: string; readonly between: string; readonly indent?: string },
): string {
  const lines = [start];
  for (const [i, part] of parts.entries()) {
    const text = i < parts.length - 1 ? `${part}${between}` : part;
    const line = lines.at(-1) ?? '';
    const isEmpty = line.trim() === '';
    if (isEmpty || (line + text).trimEnd().length <= lineWidth) lines[lines.length - 1] = line + text;
    else lines.push(indent + text);
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}

/**
 * Wraps lines of a name and its description, which two or more spaces separate: what does not fit continues below the
 * description, in whole words.
 */
export const hanging = (text: string): string =>
  text
    .split('\n')
    .map((line) => {
      const indent = ' '.repeat(/^\S.*? {2,}/.exec(line)?.[0].length ?? 2);
      return inLines(line.split(' '), { between: ' ', indent });
    })
    .join('\n');
