/**
 * Infers what each column of a table holds from all of its cells. Collects what needs the user's decision, with the
 * flags that decide, and notes on what was inferred.
 */
import { quote } from '../files/index.ts';
import { categoricalColumn, dateColumn, numericColumn } from './column-of-kind.ts';
import { flagName, type InferenceOptions, type Inferred } from './inferred.ts';
import { type ColumnProfile, NEARLY_ALL } from './profile.ts';

/** A column is of a kind if at least this share of its cells is; the other cells are then errors. */
export const MOSTLY = 0.9;
/** The minimum number of rows: in fewer, identifiers cannot be told from categories. */
export const FEW_ROWS = 20;
/** Texts with this many words on average are free text, where half of them differ. */
const WORDS_OF_TEXT = 4;

export function inferColumn(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const { kind, rows, imputation } = options;
  const present = rows - profile.missing;
  const { number, date } = profile.counts();
  if (kind === 'ignored') return ignored(profile);
  if (kind === 'numeric') return numericColumn(profile, options);
  if (kind === 'categorical') return categoricalColumn(profile, options);
  if (kind === 'date') return dateColumn(profile, options);
  if (present === 0 && (imputation === undefined || imputation === 'refuse')) return leftOut(profile, 'holds no value');
  if (number >= MOSTLY * present) {
    if (isRowNumber(profile, options))
      return leftOut(profile, 'numbers the rows', `--numeric ${flagName(profile)} keeps it`);
    return profile.isOfCodes && !profile.isFull ? textColumn(profile, options) : numericColumn(profile, options);
  }
  if (date >= MOSTLY * present) return dateColumn(profile, options);
  return textColumn(profile, options);
}

/** Is true for whole numbers that count the rows under a name such as `id`. */
const isRowNumber = ({ name, isCounting, isWhole, missing }: ColumnProfile, { rows }: InferenceOptions): boolean =>
  isCounting && isWhole && missing === 0 && rows >= FEW_ROWS && rowNumberNames.some((names) => names.test(name));

const rowNumberNames = [
  /^(?:\d+|unnamed.*|index|row(?:[ _.-]?(?:id|number|no|nr))?|(?:.*[ _.-])?id|#|no\.?|nr\.?)$/i,
  /[a-z]I[dD]$/,
  // `CUSTOMERID` and `userid`, but neither `paid` nor `valid`: many words end in id, so these are listed.
  /(?:account|case|client|customer|employee|event|item|member|object|order|passenger|patient|person|product|record|sample|session|student|subject|transaction|user)id$/i,
];

/** Leaves out free text and identifiers, and takes other texts for categories. */
function textColumn(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const present = options.rows - profile.missing;
  const different = profile.isFull ? profile.texts.size / profile.rowsUntilFull : profile.texts.size / present;
  if (present >= FEW_ROWS && !profile.lacksNumbers) {
    const remedy = `--categorical ${flagName(profile)} keeps it`;
    if (profile.wordsInText() >= WORDS_OF_TEXT && different >= 0.5) return leftOut(profile, 'holds free text', remedy);
    if (different >= NEARLY_ALL) return leftOut(profile, 'has another text in nearly every row', remedy);
  }
  return categoricalColumn(profile, options);
}

/** Leaves out a column that cannot help, and tells the user why and, where there is a flag for it, how to keep it. */
function leftOut(profile: ColumnProfile, reason: string, remedy?: string): Inferred {
  const suffix = remedy === undefined ? '' : `; ${remedy}`;
  return {
    ...withoutColumn(profile, `${reason}${suffix}`),
    notes: [`column ${quote(profile.name)} ${reason} and is left out${suffix}`],
  };
}

/** Leaves out a column as the user said, so no note is needed. */
const ignored = (profile: ColumnProfile): Inferred => withoutColumn(profile, 'as told');

const withoutColumn = ({ name, missing }: ColumnProfile, done: string): Inferred => ({
  column: null,
  summary: { name, kind: 'left out', values: '', missing, done },
  notes: [],
  problems: [],
});
