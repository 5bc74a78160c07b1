/** Decides whether the label column holds classes or numbers, and collects what makes it unusable. */
import { at } from '../arrays/index.ts';
import type { CategoricalColumn, NumericColumn } from '../columns/index.ts';
import { count, quote } from '../files/index.ts';
import { formattedNote, listOf, rangeOf } from './column-of-kind.ts';
import { FEW_ROWS, MOSTLY } from './infer-column.ts';
import { type Inferred, short } from './inferred.ts';
import type { DataSource } from './options.ts';
import { type ColumnProfile, MAX_CLASSES, sortTexts } from './profile.ts';

export interface InferredLabel extends Inferred {
  readonly column: CategoricalColumn | NumericColumn;
  /** The number of rows without a label that are left out. */
  readonly dropped: number;
}

export interface LabelOptions extends Pick<DataSource, 'task' | 'dropMissingLabels'> {
  readonly rows: number;
}

const MAX_WHOLE_NUMBERS = 20;

export function inferLabel(profile: ColumnProfile, options: LabelOptions): InferredLabel {
  const { task, rows } = options;
  const { name, doubtful, missing } = profile;
  const { number } = profile.counts();
  const unsure = [...doubtful.values()].reduce((sum, each) => sum + each, 0);
  const isNumeric = number > 0 && number >= MOSTLY * (rows - missing - unsure);
  const asClasses = task === 'classification' || (task === undefined && (!isNumeric || holdsClasses(profile)));
  const column = { name, fill: null } as const;
  if (asClasses) {
    const texts = [...profile.texts.keys(), ...(isNumeric ? [] : doubtful.keys())];
    const lacking = missing + (isNumeric ? unsure : 0);
    return inferred(profile, options, {
      column: { kind: 'categorical', ...column, categories: sortTexts(texts) },
      lacking,
      firstLacking: profile.firstMissing || profile.firstDoubtful,
      others: 0,
    });
  }
  return inferred(profile, options, {
    column: { kind: 'numeric', ...column },
    lacking: missing + unsure,
    firstLacking: profile.firstMissing || profile.firstDoubtful,
    others: rows - missing - unsure - number,
  });
}

/** Is true for a column of only a few distinct whole numbers. */
const holdsClasses = ({ firstWord, texts, isWhole, isPlain, isFull }: ColumnProfile): boolean =>
  firstWord === undefined && isWhole && isPlain && !isFull && texts.size <= MAX_WHOLE_NUMBERS;

interface Found {
  readonly column: InferredLabel['column'];
  readonly lacking: number;
  readonly firstLacking: number;
  /** The number of cells that are not numbers in a column of numbers. */
  readonly others: number;
}

function inferred(
  profile: ColumnProfile,
  { rows, dropMissingLabels = false }: LabelOptions,
  found: Found,
): InferredLabel {
  const { name, unit, isPlain } = profile;
  const { column, lacking, firstLacking, others } = found;
  const dropped = dropMissingLabels ? lacking + others : 0;
  const isClasses = column.kind === 'categorical';
  const read = isPlain || isClasses ? [] : [formattedNote(profile)];
  const left = dropped > 0 ? [`${count(dropped)} of ${count(rows)} rows have no ${quote(name)} and are left out`] : [];
  return {
    column: !isClasses && unit !== undefined ? { ...column, unit } : column,
    dropped,
    summary: {
      name,
      kind: isClasses ? 'classes, to predict' : 'number, to predict',
      values: isClasses ? listOf(column.categories) : rangeOf(profile),
      missing: lacking + others,
      done: dropped > 0 ? 'such rows left out' : read.length > 0 ? 'formatted numbers read as numbers' : '',
    },
    notes: [...read, ...left],
    problems: [
      ...(lacking > 0 && !dropMissingLabels
        ? [
            `line ${firstLacking}, column ${quote(name)}: expected a value to predict, got none (${count(lacking)} of ${count(rows)} rows have none); --drop-missing-labels leaves them out`,
          ]
        : []),
      ...(others > 0 && !dropMissingLabels ? [otherProblem(profile, rows, others)] : []),
      ...(lacking === rows && !dropMissingLabels
        ? []
        : isClasses
          ? classProblems(profile, column, rows - lacking)
          : numberProblems(profile, rows - lacking - others)),
    ],
  };
}

function otherProblem(profile: ColumnProfile, rows: number, others: number): string {
  const { name, firstWord } = profile;
  const where = `${firstWord ? `line ${firstWord.line}, ` : ''}column ${quote(name)}`;
  const got = firstWord ? quote(firstWord.text) : 'a date';
  const all = `${count(rows - others)} of ${count(rows)}`;
  return `${where}: expected a number to predict, as in ${all} rows, got ${got}; --drop-missing-labels leaves such rows out, --task classification takes all texts for classes`;
}

function classProblems(
  profile: ColumnProfile,
  { categories, name }: CategoricalColumn,
  rows: number,
): readonly string[] {
  const where = `column ${quote(name)}`;
  if (rows === 0) return [`${where}: expected values to predict, got none; --label names another column`];
  if (profile.isFull) {
    return [
      `${where}: expected at most ${MAX_CLASSES} classes, got more; --label names another column, --task regression predicts numbers`,
    ];
  }
  if (categories.length === 1) {
    return [
      `${where}: expected at least two classes, got only ${quote(at(categories, 0))}; --label names another column`,
    ];
  }
  return categories.length === rows && rows >= FEW_ROWS
    ? [
        `${where}: expected classes with several rows each, got another in each of ${count(rows)} rows; --label names another column`,
      ]
    : [];
}

function numberProblems({ name, min, max, firstUnfit }: ColumnProfile, rows: number): readonly string[] {
  const where = `column ${quote(name)}`;
  if (firstUnfit)
    return [
      `line ${firstUnfit.line}, ${where}: expected a number that float32 holds, got ${quote(firstUnfit.text)}; --label names another column`,
    ];
  if (rows === 0) return [`${where}: expected numbers to predict, got none; --task classification predicts classes`];
  if (rows === 1 || Math.fround(min) !== Math.fround(max)) return [];
  return min === max
    ? [`${where}: expected numbers that differ, got only ${short(min)}; --label names another column`]
    : [
        `${where}: expected numbers that float32 holds apart, got ${min} to ${max}, which become the same; subtract what they have in common`,
      ];
}
