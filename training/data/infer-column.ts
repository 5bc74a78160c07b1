/**
 * Infers what each column of a table holds from all of its cells. Collects what needs the user's decision, with the
 * flags that decide, and notes on what was inferred.
 */
import { noteOnPrecision } from './float-precision.ts';
import type { CategoricalColumn, Column, DateColumn, DateOrder, DatePart, NumericColumn } from '../columns/index.ts';
import { count, percent, quote } from '../files/index.ts';
import type { DataSource } from './options.ts';
import { type ColumnProfile, MAX_CATEGORIES, NEARLY_ALL, type Place, sortTexts } from './profile.ts';

export type GivenKind = NonNullable<DataSource['kinds']>[string];

/** Describes a column to the user, as a line of a table. */
export interface ColumnSummary {
  readonly name: string;
  readonly kind: string;
  /** The range of its numbers, or its first categories. */
  readonly values: string;
  /** The number of rows without a value. */
  readonly missing: number;
  /** Says what was done with the column beyond reading it. */
  readonly done: string;
}

/** The result for a column after the file has been read once. */
export interface Inferred {
  /** Null where the column is left out. */
  readonly column: Column | null;
  readonly summary: ColumnSummary;
  readonly notes: readonly string[];
  /** The problems that the user has to decide, without the file's name. */
  readonly problems: readonly string[];
}

export interface InferenceOptions {
  readonly kind: GivenKind | undefined;
  /** The imputation of its gaps, where the user says so. */
  readonly imputation: string | undefined;
  /** Is true where gaps are refused. */
  readonly refusesGaps: boolean;
  readonly rows: number;
}

/** A column is of a kind if at least this share of its cells is; the other cells are then errors. */
export const MOSTLY = 0.9;
/** The minimum number of rows: in fewer, identifiers cannot be told from categories. */
export const FEW_ROWS = 20;
const WORDS_OF_TEXT = 4;

export function inferColumn(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const { kind, rows, imputation } = options;
  const present = rows - profile.missing;
  const { number, date } = profile.counts();
  if (kind === 'ignored') return leftOut(profile, 'as told');
  if (kind === 'numeric') return numeric(profile, options);
  if (kind === 'categorical') return categorical(profile, options);
  if (kind === 'date') return dated(profile, options);
  if (present === 0 && (imputation === undefined || imputation === 'refuse'))
    return leftOut(profile, 'holds no value', true);
  if (number >= MOSTLY * present) {
    if (isRowNumber(profile, options))
      return leftOut(profile, `numbers the rows; --numeric ${flagName(profile)} keeps it`, true);
    return profile.isOfCodes && !profile.isFull ? words(profile, options) : numeric(profile, options);
  }
  if (date >= MOSTLY * present) return dated(profile, options);
  return words(profile, options);
}

const isRowNumber = ({ name, isCounting, isWhole, missing }: ColumnProfile, { rows }: InferenceOptions): boolean =>
  isCounting &&
  isWhole &&
  missing === 0 &&
  rows >= FEW_ROWS &&
  /^(?:\d+|unnamed.*|index|row(?:[ _.-]?(?:id|number|no|nr))?|(?:.*[ _.-])?id|.*[a-z]I[dD]|#|no\.?|nr\.?)$/i.test(name);

function words(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const present = options.rows - profile.missing;
  const different = profile.isFull ? profile.texts.size / profile.rowsUntilFull : profile.texts.size / present;
  if (present >= FEW_ROWS && !profile.lacksNumbers) {
    const keep = `; --categorical ${flagName(profile)} keeps it`;
    if (profile.wordsInText() >= WORDS_OF_TEXT && different >= 0.5)
      return leftOut(profile, `holds free text${keep}`, true);
    if (different >= NEARLY_ALL) return leftOut(profile, `has another text in nearly every row${keep}`, true);
  }
  return categorical(profile, options);
}

function leftOut(profile: ColumnProfile, why: string, isSaid = false): Inferred {
  const { name, missing } = profile;
  return {
    column: null,
    summary: { name, kind: 'left out', values: '', missing, done: why },
    notes: isSaid
      ? [
          `column ${quote(name)} ${why.replace('; ', ' and is left out; ')}${why.includes('; ') ? '' : ' and is left out'}`,
        ]
      : [],
    problems: [],
  };
}

function numeric(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const { name, min, max, missing, unit, isPlain, firstUnfit, firstPadded } = profile;
  const others = othersOf(profile, 'number', options);
  const isLenient = options.imputation !== undefined && options.imputation !== 'refuse';
  const unfit =
    firstUnfit &&
    !isLenient &&
    `line ${firstUnfit.line}, column ${quote(name)}: expected a number that float32 holds, got ${quote(firstUnfit.text)}; --missing ${flagName(profile)}=median takes it for missing, --ignore ${flagName(profile)} leaves the column out`;
  const column: NumericColumn = {
    kind: 'numeric',
    name,
    fill: null,
    ...((others.areMissing || (firstUnfit && isLenient)) && { othersMissing: true }),
    ...(unit !== undefined && { unit }),
  };
  const range = min > max ? '' : `${short(min)} … ${short(max)}${unit === undefined ? '' : ` ${unit}`}`;
  return {
    column,
    summary: {
      name,
      kind: 'number',
      values: range,
      missing: missing + others.count,
      done: isPlain ? '' : 'formatted numbers read as numbers',
    },
    notes: joined(
      isPlain ? NONE : [formattedNote(profile)],
      options.kind === undefined && profile.isOfCodes && firstPadded ? [noteOnCodes(name, firstPadded)] : NONE,
      profile.pointsMayGroup ? [noteOnPoints(profile)] : NONE,
      profile.precision ? noteOnPrecision(`column ${quote(name)}`, profile.precision) : NONE,
      others.notes,
    ),
    problems: joined(others.problems, unfit ? [unfit] : NONE, gapProblems(profile, options)),
  };
}

const joined = (...lists: readonly (readonly string[])[]): readonly string[] =>
  lists.every((list) => list.length === 0) ? NONE : lists.flat();

const noteOnCodes = (name: string, { line, text }: Place): string =>
  `column ${quote(name)}: its texts are read as numbers without the zeros before them (line ${line}: ${quote(text)}); --ignore ${flagName({ name })} leaves the column out`;

const noteOnPoints = ({ name, min, max }: ColumnProfile): string =>
  `column ${quote(name)}: its points are read as decimal points (${short(min)} … ${short(max)}), though each has three digits after it; if they separate thousands, --decimal , says so`;

export const formattedNote = ({ name, unit }: Pick<ColumnProfile, 'name' | 'unit'>): string =>
  `column ${quote(name)}: formatted numbers${unit === undefined ? '' : ` (${unit})`} are read as numbers`;

interface Others {
  readonly count: number;
  readonly areMissing: boolean;
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** One empty list serves all columns, of which there may be a hundred thousand. */
const NONE: readonly string[] = [];
const NO_OTHERS: Others = { count: 0, areMissing: false, notes: NONE, problems: NONE };

/**
 * Judges the cells that are not of the column's kind: they count as missing where an imputation is given, and are a
 * problem otherwise.
 */
function othersOf(profile: ColumnProfile, kind: 'number' | 'date', { rows, imputation }: InferenceOptions): Others {
  const { name, firstWord, missing } = profile;
  const present = rows - missing;
  const others = present - profile.counts()[kind];
  if (others === 0) return NO_OTHERS;
  const first = kind === 'number' ? (firstWord ?? { line: undefined, text: 'a date' }) : firstWord;
  if (imputation !== undefined && imputation !== 'refuse') {
    const such = first ? `, such as ${quote(first.text)},` : '';
    return {
      count: others,
      areMissing: true,
      notes: [`column ${quote(name)}: ${count(others)} cells that are no ${kind}${such} are taken for missing`],
      problems: [],
    };
  }
  const flag = flagName(profile);
  const where = `${first?.line === undefined ? '' : `line ${first.line}, `}column ${quote(name)}`;
  const share = others > present / 2 ? '' : `, as ${count(present - others)} of ${count(present)} cells are`;
  const remedies = `--${kind === 'number' ? 'numeric' : 'date'} ${flag} --missing ${flag}=median takes it for missing, --categorical ${flag} takes all as texts, --ignore ${flag} leaves the column out`;
  const problem = `${where}: expected a ${kind}${share}, got ${first ? quote(first.text) : 'a number'}; ${remedies}`;
  return { count: others, areMissing: false, notes: [], problems: [problem] };
}

function gapProblems(profile: ColumnProfile, { refusesGaps, rows }: InferenceOptions): readonly string[] {
  const { name, missing, firstMissing } = profile;
  if (missing === 0 || !refusesGaps) return NONE;
  const flag = flagName(profile);
  const all = `${count(missing)} of ${count(rows)} rows have none`;
  return [
    `line ${firstMissing}, column ${quote(name)}: expected a value, got none (${all}); leave out --missing refuse, or say --missing ${flag}=HOW or --ignore ${flag}`,
  ];
}

function categorical(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const { name, missing, firstWord } = profile;
  const flag = flagName(profile);
  if (profile.isFull) {
    const where = `${firstWord ? `line ${firstWord.line}, ` : ''}column ${quote(name)}`;
    const got = firstWord ? quote(firstWord.text) : 'more numbers';
    const problem = `${where}: expected numbers, or at most ${MAX_CATEGORIES} different texts, got ${got}; --ignore ${flag} leaves the column out`;
    return {
      column: null,
      summary: { name, kind: 'category', values: 'too many', missing, done: '' },
      notes: [],
      problems: [problem],
    };
  }
  const categories = sortTexts(profile.texts.keys());
  const column: CategoricalColumn = { kind: 'categorical', name, categories, fill: null };
  return {
    column,
    summary: { name, kind: 'category', values: listOf(categories), missing, done: '' },
    notes: categoryNotes(profile, options),
    problems: gapProblems(profile, options),
  };
}

const MANY = 100;

function categoryNotes(profile: ColumnProfile, { kind, rows }: InferenceOptions): readonly string[] {
  const { name, texts, firstWord, firstPadded, missing } = profile;
  const flag = flagName(profile);
  const { number } = profile.counts();
  const rare = [...texts.values()].filter(({ count }) => count <= 2).length;
  return [
    ...(kind === undefined && firstPadded && profile.isOfCodes
      ? [
          `column ${quote(name)} is read as ${count(texts.size)} categories, as its numbers have zeros before them (line ${firstPadded.line}: ${quote(firstPadded.text)}); --numeric ${flag} reads numbers`,
        ]
      : []),
    ...(kind === undefined && number >= (rows - missing) / 2 && firstWord
      ? [
          `column ${quote(name)} is read as ${count(texts.size)} categories, though ${percent(number / (rows - missing))} of it are numbers (line ${firstWord.line}: ${quote(firstWord.text)}); --numeric ${flag} --missing ${flag}=median takes the others for missing`,
        ]
      : []),
    ...(texts.size >= MANY && rare > texts.size / 2
      ? [
          `column ${quote(name)} has ${count(texts.size)} categories, ${count(rare)} of them in one or two rows only, of which little can be learnt; --ignore ${flag} leaves it out`,
        ]
      : []),
  ];
}

const NAMED = 4;

/** Lists the categories in the order of their indices, which requests that send indices need to know. */
function listOf(categories: readonly string[]): string {
  const named = categories.slice(0, NAMED).join(', ');
  return categories.length > NAMED ? `${named}, … (${count(categories.length)})` : named;
}

function dated(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const { name, missing, firstYear, lastYear, hasDays, hasHours, orders } = profile;
  const others = othersOf(profile, 'date', options);
  const flag = flagName(profile);
  const isEmpty = !hasDays && !hasHours;
  const mixed = hasDays && (!profile.alwaysHasDay || orders.length === 0);
  const order: DateOrder = orders[0] ?? 'YMD';
  const parts: readonly DatePart[] = [
    ...(hasDays && firstYear < lastYear ? (['year'] as const) : []),
    ...(hasDays ? (['season', 'day of month', 'weekday'] as const) : []),
    ...(hasHours ? (['hour'] as const) : []),
  ];
  const years = [hasDays ? firstYear : 0, hasDays ? lastYear : 0] as const;
  const column: DateColumn = {
    kind: 'date',
    name,
    parts,
    order,
    years: [...years],
    fill: null,
    ...(others.areMissing && { othersMissing: true }),
  };
  const isEither = hasDays && orders.length === 2;
  const remedies = `--categorical ${flag} takes all as texts, --ignore ${flag} leaves the column out`;
  return {
    column: isEmpty || mixed ? null : column,
    summary: {
      name,
      kind: hasDays ? 'date' : 'time',
      values: hasDays ? `${firstYear} … ${lastYear}` : '',
      missing: missing + others.count,
      done: parts.join(', '),
    },
    notes: [
      `column ${quote(name)} holds ${hasDays ? 'dates' : 'times'}: ${parts.join(', ')}`,
      ...(isEither
        ? [
            `column ${quote(name)}: day and month cannot be told apart; they are read as ${order === 'MDY' ? 'month, day' : 'day, month'}`,
          ]
        : []),
      ...others.notes,
    ],
    problems: [
      ...others.problems,
      ...(isEmpty ? [`column ${quote(name)}: expected dates, got none; ${remedies}`] : []),
      ...(mixed && !isEmpty
        ? [`column ${quote(name)}: expected dates written in one way, got several; ${remedies}`]
        : []),
      ...gapProblems(profile, options),
    ],
  };
}

/** Writes a column's name as a flag takes it. */
export const flagName = ({ name }: Pick<ColumnProfile, 'name'>): string =>
  /^[\w.-]+$/.test(name) ? name : quote(name);

export const short = (value: number): string => `${Number(value.toPrecision(6))}`;
