/** What a run says of its data: how the labels and columns were understood. */
import { classesOf, type Column, type Dataset } from '../../training/data/index.ts';

const mostNames = 12;

export function describeData(dataset: Dataset, columns: readonly Column[] | null): readonly string[] {
  const classes = classesOf(dataset);
  const target = classes.length > 0 ? `classes: ${listOf(classes)}` : 'a number to predict';
  return columns ? [target, ...describeColumns(columns)] : [target];
}

function describeColumns(columns: readonly Column[]): readonly string[] {
  const names = (kind: Column['kind']) => columns.filter((column) => column.kind === kind).map(nameOf);
  const [numbers, categories] = [names('numeric'), names('categorical')];
  return [
    ...(numbers.length > 0 ? [`columns of numbers: ${listOf(numbers)}`] : []),
    ...(categories.length > 0 ? [`columns of categories: ${listOf(categories)}`] : []),
  ];
}

/** `age (missing: 34)`, `colour (3; missing: red)` */
function nameOf(column: Column): string {
  const count = column.kind === 'categorical' ? [`${column.categories.length}`] : [];
  const notes = [...count, ...(column.fill === null ? [] : [`missing: ${fillOf(column, column.fill)}`])];
  return notes.length > 0 ? `${column.name} (${notes.join('; ')})` : column.name;
}

const fillOf = (column: Column, fill: number): string =>
  column.kind === 'categorical' ? (column.categories[fill] ?? '') : `${Number(fill.toPrecision(6))}`;

const listOf = (names: readonly string[]): string =>
  names.length > mostNames ? `${names.slice(0, mostNames).join(', ')}, … (${names.length})` : names.join(', ');
