/** Prints results to standard output and progress to standard error. */
import Table from 'cli-table3';
import { count as integer, percent } from '../../../training/files/format.ts';

export { integer, percent };

export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = new Table({
    head: [...head],
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  console.log(table.toString());
}

export const spread = (values: readonly number[]): string =>
  `${integer(Math.min(...values))} – ${integer(Math.max(...values))}`;

export const progress = (line: string): void => {
  console.error(line);
};
