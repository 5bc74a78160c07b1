/** What is laid out in the terminal: tables, and lists that take several lines. */
import Table from 'cli-table3';

/** Rows without lines between them; all columns but the first, or those that are named, stand to the right. */
export const plainTable = (head: readonly string[], left: readonly string[] = head.slice(0, 1)): Table.Table =>
  new Table({
    head: [...head],
    colAligns: head.map((name) => (left.includes(name) ? 'left' : 'right')),
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });

/** A terminal is at least as wide. */
const WIDTH = 80;

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
