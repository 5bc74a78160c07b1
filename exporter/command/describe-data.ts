/** Describes the data of a run: how labels and columns were understood. */
import { classesOf, type ColumnSummary, type Dataset } from '../../training/data/index.ts';
import { count, printable } from '../../training/files/index.ts';
import { fittedTable } from './table.ts';

const maxNames = 12;
const maxColumns = 60;

/** @param summary of the columns, for a table */
export function describeData(dataset: Dataset, summary: readonly ColumnSummary[] | undefined): readonly string[] {
  const classes = classesOf(dataset);
  const target = classes.length > 0 ? `classes: ${listOf(classes)}` : 'a number to predict';
  return summary ? [target, columnTable(summary)] : [target];
}

function columnTable(summary: readonly ColumnSummary[]): string {
  const rows = summary
    .slice(0, maxColumns)
    .map(({ name, kind, values, missing, done }) => [
      cut(name),
      kind,
      cut(values),
      missing > 0 ? count(missing) : '',
      done,
    ]);
  const others = summary.length - maxColumns;
  const last = others > 0 ? [[`… and ${count(others)} more`, '', '', '', '']] : [];
  return fittedTable(['column', 'holds', 'values', 'missing', 'what was done'], [...rows, ...last], {
    left: ['column', 'holds', 'values', 'what was done'],
    yielding: [
      [4, 18],
      [2, 18],
      [1, 14],
      [0, 14],
    ],
  });
}

const longest = 40;

const cut = (text: string): string => printable(text.length > longest ? `${text.slice(0, longest)}…` : text);

const listOf = (names: readonly string[]): string =>
  names.length > maxNames ? `${names.slice(0, maxNames).join(', ')}, … (${names.length})` : names.join(', ');
