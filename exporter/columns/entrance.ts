/**
 * Builds nodes from a table's columns, an input `[N, 1]` each, to the numbers that a model takes, `[N, features]`, as
 * rowPreparer does for rows. A graph cannot refuse a row, so it returns which rows it would have refused.
 */
import {
  type CategoricalColumn,
  type Column,
  type DateColumn,
  LARGEST,
  missingTexts,
  type NumericColumn,
  readerOf,
} from '../../training/columns/index.ts';
import type { onnx } from '../../training/graph/index.ts';
import { addDate } from './dates.ts';
import { attribute, type ElementType, elementTypes, type Name, type Nodes } from './nodes.ts';

export interface Entrance {
  readonly inputs: readonly onnx.IValueInfoProto[];
  /** `[N, features]` of float32, finite if `isWrong` is true. */
  readonly features: Name;
  /** Is true if a value of the row does not fit its column, `[N, 1]` of booleans; undefined if every value fits. */
  readonly isWrong: Name | undefined;
}

/** The numbers of one column. */
interface Numbers {
  readonly values: readonly Name[];
  readonly isMissing: Name;
  /** Is true if there is a value that does not fit the column. */
  readonly isOther: Name;
}

/** Maps the kinds of columns to the types of their inputs. */
export const inputTypes = { numeric: 'float', categorical: 'string', date: 'string' } as const satisfies Readonly<
  Record<Column['kind'], ElementType>
>;

export function addEntrance(g: Nodes, columns: readonly Column[]): Entrance {
  const read = columns.map((column) => ({ column, numbers: addColumn(g, column) }));
  const gap = g.constant('float', NaN);
  const nothing = g.constant('float', 0);
  const parts = read.map(({ column, numbers: { values, isMissing, isOther } }) => {
    const takesOthers = column.kind !== 'categorical' && column.othersMissing === true;
    const isGap = takesOthers ? g.add('Or', [isMissing, isOther]) : isMissing;
    const mayMiss = column.fill !== null;
    const isWrong = mayMiss ? (takesOthers ? undefined : isOther) : g.add('Or', [isMissing, isOther]);
    const filled = values.map((value) => {
      const known = isWrong === undefined ? value : g.add('Where', [isWrong, nothing, value]);
      return mayMiss ? g.add('Where', [isGap, gap, known]) : known;
    });
    return { filled, isWrong };
  });
  const wrong = parts.flatMap(({ isWrong }) => isWrong ?? []);
  return {
    inputs: columns.map(({ name, kind }) => port(name, elementTypes[inputTypes[kind]])),
    features: g.add(
      'Concat',
      parts.flatMap(({ filled }) => filled),
      [attribute.int('axis', 1)],
    ),
    isWrong: wrong.length === 0 ? undefined : wrong.reduce((either, other) => g.add('Or', [either, other])),
  };
}

const port = (name: string, elemType: number): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType, shape: { dim: [{ dimParam: 'N' }, { dimValue: 1 }] } } },
});

function addColumn(g: Nodes, column: Column): Numbers {
  switch (column.kind) {
    case 'numeric':
      return addNumber(g, column);
    case 'categorical':
      return addCategory(g, column);
    case 'date':
      return addDates(g, column);
  }
}

function addNumber(g: Nodes, { name }: NumericColumn): Numbers {
  const isOther = g.add('Greater', [g.add('Abs', [name]), g.constant('float', LARGEST)]);
  return { values: [name], isMissing: g.add('IsNaN', [name]), isOther };
}

/** The outputs of LabelEncoder for a missing value, and for a text that is not a category. */
const [MISSING, OTHER] = [-1, -2];

function addCategory(g: Nodes, column: CategoricalColumn): Numbers {
  const known = spellings(column);
  const code = g.add(
    'LabelEncoder',
    [column.name],
    [
      attribute.texts('keys_strings', [...known.keys()]),
      attribute.floats('values_floats', [...known.values()]),
      attribute.float('default_float', OTHER),
    ],
  );
  const is = (value: number) => g.add('Equal', [code, g.constant('float', value)]);
  return { values: [code], isMissing: is(MISSING), isOther: is(OTHER) };
}

const truths = ['true', 'yes', 't', 'y', 'false', 'no', 'f', 'n'];

/**
 * Maps every text that rows may have for a category, or for a missing value, to what the column's own reader makes of
 * it.
 */
function spellings(column: CategoricalColumn): ReadonlyMap<string, number> {
  const numbers = column.categories.map(Number).filter(Number.isFinite);
  const candidates = [
    ...column.categories,
    ...missingTexts,
    ...truths.flatMap((word) => [word, word.toUpperCase(), `${word.charAt(0).toUpperCase()}${word.slice(1)}`]),
    ...numbers.flatMap((number) => [String(number), number.toFixed(1), number.toFixed(2)]),
  ];
  const read = readerOf(column, { mayMiss: true });
  const value = Float32Array.of(0);
  return new Map(
    candidates.flatMap((text) => {
      if (read(text, value, 0) !== undefined) return [];
      const [index = NaN] = value;
      return [[text, Number.isNaN(index) ? MISSING : index] as const];
    }),
  );
}

function addDates(g: Nodes, column: DateColumn): Numbers {
  const missing = attribute.texts('keys_strings', missingTexts);
  const values = attribute.floats(
    'values_floats',
    missingTexts.map(() => MISSING),
  );
  const code = g.add('LabelEncoder', [column.name], [missing, values, attribute.float('default_float', 0)]);
  const isMissing = g.add('Equal', [code, g.constant('float', MISSING)]);
  const { isDate, numbers } = addDate(g, column.name, column);
  return { values: numbers, isMissing, isOther: g.add('Not', [g.add('Or', [isMissing, isDate])]) };
}
