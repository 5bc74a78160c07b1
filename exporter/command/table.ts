/** What is laid out in the terminal: tables, and lists that take several lines. */
import Table from 'cli-table3';

/** Rows without lines between them; all columns but the first, or those that are named, stand to the right. */
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

/** A terminal is at least as wide. */
const WIDTH = 80;

/** A column is made no narrower, edges included. */
const LEAST_WIDTH = 18;

/**
 * A table no wider than a terminal where that can be: cells of some columns take several lines.
 *
 * @param yielding the columns whose cells may, by number; what one cannot give, the next does
 */
export function fittedTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { left, yielding }: { readonly left: readonly string[]; readonly yielding: readonly number[] },
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
  let over = border.length - WIDTH;
  if (over <= 0) return natural;
  for (const column of yielding) {
    const width = widths[column] ?? 0;
    widths[column] = Math.max(Math.min(width, LEAST_WIDTH), width - over);
    over = Math.max(0, over - width + widths[column]);
  }
  return drawn({ colWidths: widths, wordWrap: true });
}

/**
 * Parts one after another, on as many lines as they take. One that is longer than a line is not cut.
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
    if (isEmpty || (line + text).trimEnd().length <= WIDTH) lines[lines.length - 1] = line + text;
    else lines.push(indent + text);
  }
  return lines.map((line) => line.trimEnd()).join('\n');
}
