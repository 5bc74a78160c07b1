/**
 * Infers the rest of a column once its kind is known: the unit of its numbers, its categories, or the parts of its
 * dates.
 */
import type { CategoricalColumn, DateColumn, DateOrder, DatePart, NumericColumn } from '../columns/index.ts';
import { count, percent, quote } from '../files/index.ts';
import { noteOnPrecision } from './float-precision.ts';
import { flagName, gapProblems, type InferenceOptions, type Inferred, NONE, othersOf, short } from './inferred.ts';
import { type ColumnProfile, MAX_CATEGORIES, type Place, sortTexts } from './profile.ts';

export function numericColumn(profile: ColumnProfile, options: InferenceOptions): Inferred {
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
  return {
    column,
    summary: {
      name,
      kind: 'number',
      values: min > max ? '' : rangeOf(profile),
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

/** Returns the smallest and the largest number, with their unit. */
export const rangeOf = ({ min, max, unit }: ColumnProfile): string =>
  `${short(min)} … ${short(max)}${unit === undefined ? '' : ` ${unit}`}`;

const joined = (...lists: readonly (readonly string[])[]): readonly string[] =>
  lists.every((list) => list.length === 0) ? NONE : lists.flat();

const noteOnCodes = (name: string, { line, text }: Place): string =>
  `column ${quote(name)}: its texts are read as numbers without the zeros before them (line ${line}: ${quote(text)}); --ignore ${flagName({ name })} leaves the column out`;

const noteOnPoints = ({ name, min, max }: ColumnProfile): string =>
  `column ${quote(name)}: its points are read as decimal points (${short(min)} … ${short(max)}), though each has three digits after it; if they separate thousands, --decimal , says so`;

export const formattedNote = ({ name, unit }: Pick<ColumnProfile, 'name' | 'unit'>): string =>
  `column ${quote(name)}: formatted numbers${unit === undefined ? '' : ` (${unit})`} are read as numbers`;

export function categoricalColumn(profile: ColumnProfile, options: InferenceOptions): Inferred {
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
export function listOf(categories: readonly string[]): string {
  const named = categories.slice(0, NAMED).join(', ');
  return categories.length > NAMED ? `${named}, … (${count(categories.length)})` : named;
}

export function dateColumn(profile: ColumnProfile, options: InferenceOptions): Inferred {
  const { name, missing, firstYear, lastYear, hasDays } = profile;
  const others = othersOf(profile, 'date', options);
  const parts = partsOf(profile);
  const problem = dateProblem(profile);
  const column: DateColumn = {
    kind: 'date',
    name,
    parts,
    order: orderOf(profile),
    years: hasDays ? [firstYear, lastYear] : [0, 0],
    fill: null,
    ...(others.areMissing && { othersMissing: true }),
  };
  return {
    column: problem === undefined ? column : null,
    summary: {
      name,
      kind: hasDays ? 'date' : 'time',
      values: hasDays ? `${firstYear} … ${lastYear}` : '',
      missing: missing + others.count,
      done: parts.join(', '),
    },
    notes: [...dateNotes(profile, parts), ...others.notes],
    problems: [...others.problems, ...(problem === undefined ? [] : [problem]), ...gapProblems(profile, options)],
  };
}

const orderOf = ({ orders }: ColumnProfile): DateOrder => orders[0] ?? 'YMD';

/** Returns the parts that vary: a year that is the same everywhere tells nothing. */
const partsOf = ({ hasDays, hasHours, firstYear, lastYear }: ColumnProfile): readonly DatePart[] => [
  ...(hasDays && firstYear < lastYear ? (['year'] as const) : []),
  ...(hasDays ? (['season', 'day of month', 'weekday'] as const) : []),
  ...(hasHours ? (['hour'] as const) : []),
];

function dateNotes(profile: ColumnProfile, parts: readonly DatePart[]): readonly string[] {
  const { name, hasDays, orders } = profile;
  const read = orderOf(profile) === 'MDY' ? 'month, day' : 'day, month';
  return [
    `column ${quote(name)} holds ${hasDays ? 'dates' : 'times'}: ${parts.join(', ')}`,
    ...(hasDays && orders.length === 2
      ? [`column ${quote(name)}: day and month cannot be told apart; they are read as ${read}`]
      : []),
  ];
}

/** Returns the problem of a column without dates, or with dates that no single order reads. */
function dateProblem(profile: ColumnProfile): string | undefined {
  const { name, hasDays, hasHours, alwaysHasDay, orders } = profile;
  const flag = flagName(profile);
  const remedies = `--categorical ${flag} takes all as texts, --ignore ${flag} leaves the column out`;
  if (!hasDays && !hasHours) return `column ${quote(name)}: expected dates, got none; ${remedies}`;
  if (hasDays && (!alwaysHasDay || orders.length === 0))
    return `column ${quote(name)}: expected dates written in one way, got several; ${remedies}`;
  return undefined;
}
