/** Shows the importance of each column in the terminal. */
import type { Importance } from '../../training/answers/index.ts';
import { count, fourDigits } from '../../training/files/index.ts';
import { plainTable } from './table.ts';

const MAX = 20;

export function importanceTable({ measure, rows, repeats, columns }: Importance): string {
  const table = plainTable(['column', `${measure} grows by`, '±']);
  for (const { name, mean, deviation } of columns.slice(0, MAX))
    table.push([name, fourDigits(mean), fourDigits(deviation)]);
  const more = columns.length > MAX ? `\nand ${count(columns.length - MAX)} columns that are worth less` : '';
  return `what each column is worth: its values dealt to others of ${count(rows)} rows, ${repeats} times\n${table.toString()}${more}`;
}
