/**
 * Describes the rows and the answers of each model by schemas of its own, from which generated clients take their
 * types. A row can be written in several ways. These schemas hold the one that types can express; its description names
 * the others, and the schema shared by all models (`RowsRequest`) takes whatever the Worker reads.
 */
import type { Column } from '../../training/columns/column.ts';
import { expectationOf } from '../../training/columns/prepare.ts';
import type { Model } from '../models.ts';
import { probabilitiesOf } from '../predict/kinds.ts';

export interface RowSchemas {
  /** Describes one row by the names of the columns. */
  readonly row: object;
  /** Describes the body of a request. */
  readonly request: object;
  readonly response: object;
}

/**
 * Returns the schemas of a model that knows its columns and what it answers, and `undefined` for any other.
 * @param row a reference to the row's schema
 */
export function rowSchemasOf(model: Model, row: object): RowSchemas | undefined {
  const { table, output, unknown = 'refuse' } = model;
  if (!table || !output) return undefined;
  const options = {
    unknown: { type: ['string', 'null'], enum: ['refuse', 'ignore', 'fill', null], default: unknown },
    explain: { type: ['boolean', 'null'], default: false },
  };
  const parameters = { ...objectOf(options, []), type: ['object', 'null'] };
  const required = table.columns.filter(({ fill }) => fill === null).map(({ name }) => name);
  const properties = Object.fromEntries(table.columns.map((column) => [column.name, cellOf(column)]));
  const instances = { type: 'array', minItems: 1, items: row };
  return {
    row: { ...objectOf(properties, required), description: otherRows(table.columns) },
    request: objectOf({ instances, parameters }, ['instances']),
    response: objectOf({ predictions: { type: 'array', items: answerOf(model, output.kind) } }, ['predictions']),
  };
}

/**
 * Describes every JSON body that holds rows.
 * @param request the schema of rows under their name, with options next to them
 */
export const bodiesOf = (request: object): object => ({
  anyOf: [
    request,
    { type: 'array', minItems: 1, items: {}, description: 'rows, or the values of one row' },
    { type: 'object', properties: { instances: { not: {} } }, description: 'a row by the names of its columns' },
  ],
});

function otherRows(columns: readonly Column[]): string {
  const names = columns.map(({ name }) => JSON.stringify(name)).join(', ');
  return (
    'Beyond what types can say, the Worker also takes numbers as text, categories as the numbers or booleans that they are, a gap as "", ' +
    'other columns if unknown is "ignore" or "fill", other values if it is "fill", ' +
    `rows that stand alone or in a list, and for a row an array of its values in this order: ${names}.`
  );
}

const objectOf = (properties: Readonly<Record<string, object>>, required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
});

function cellOf(column: Column): object {
  const { fill } = column;
  const isOptional = fill !== null;
  const texts = [meaningOf(column), seenOf(column), fillOf(column)];
  const described = { description: texts.filter((text) => text !== '').join('; ') };
  const examples = column.typical === undefined ? {} : { examples: [column.typical] };
  const typed = (type: string): object => ({ type: isOptional ? [type, 'null'] : type, ...described, ...examples });
  if (column.kind === 'numeric') return typed('number');
  if (column.kind === 'date') return typed('string');
  return { ...typed('string'), enum: [...column.categories, ...(isOptional ? [null] : [])] };
}

function meaningOf(column: Column): string {
  switch (column.kind) {
    case 'numeric':
      return column.unit === undefined ? 'a number' : `a number, in ${column.unit}`;
    case 'categorical':
      return 'a category';
    case 'date':
      return `${expectationOf(column, 'not a date')}, the numbers in the order ${column.order}`;
  }
}

function seenOf(column: Column): string {
  switch (column.kind) {
    case 'numeric':
      return inTraining(column.range);
    case 'categorical':
      return column.typical === undefined ? '' : `most often ${JSON.stringify(column.typical)} in training`;
    case 'date':
      return inTraining(column.range ?? (column.parts.includes('year') ? column.years : undefined));
  }
}

const inTraining = (range: readonly [unknown, unknown] | undefined): string =>
  range ? `from ${range.join(' to ')} in training` : '';

function fillOf(column: Column): string {
  const { fill, missing = 'a value' } = column;
  if (fill === null) return '';
  if (column.kind !== 'categorical') return `a missing one counts as ${fill} (${missing})`;
  const category = column.categories[fill];
  return `a missing one counts as ${category === undefined ? 'a category of its own' : JSON.stringify(category)}`;
}

function answerOf({ labels, interval }: Model, kind: NonNullable<Model['output']>['kind']): object {
  const warnings = { type: 'array', items: { type: 'string' } };
  const explanation = { $ref: '#/components/schemas/Explanation' };
  const real = { type: ['number', 'null'] };
  if (kind === 'number') {
    const values = { type: ['array', 'null'], items: { type: 'number' } };
    const ends = interval ? { low: real, high: real } : {};
    return {
      anyOf: [
        objectOf({ value: real, ...ends, warnings, explanation }, ['value', ...Object.keys(ends)]),
        objectOf({ values, warnings }, ['values']),
      ],
    };
  }
  // The class that a model has chosen itself need not be among the labels.
  if (!probabilitiesOf[kind])
    return objectOf({ label: { type: ['string', 'null'] }, probability: real, warnings }, ['label', 'probability']);
  const probabilities = probabilitiesOfLabels(labels);
  if (kind === 'multi-label') {
    const applying = { type: ['array', 'null'], items: { type: 'string', ...(labels && { enum: labels }) } };
    return objectOf({ labels: applying, probabilities, warnings, explanation }, ['labels']);
  }
  const label = { type: ['string', 'null'], ...(labels && { enum: [...labels, null] }) };
  return objectOf({ label, probability: real, probabilities, warnings, explanation }, ['label', 'probability']);
}

function probabilitiesOfLabels(labels: readonly string[] | undefined): object {
  const probability = { type: 'number' };
  return labels
    ? objectOf(Object.fromEntries(labels.map((name) => [name, probability])), labels)
    : { type: 'object', additionalProperties: probability };
}
