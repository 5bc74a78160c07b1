/**
 * Builds nodes that turn a date as text, `[N, 1]`, into the numbers that training makes of it. They read `2024-05-17`,
 * with a time after a `T` or a space and an optional `Z` after that; a column of times alone reads `17:30` too. Any
 * other text is not a date.
 */
import { type DateColumn, type DatePart } from '../../training/columns/index.ts';
import { attribute, type Name, type Nodes } from './nodes.ts';

const DAY = String.raw`\d{4}-\d{1,2}-\d{1,2}`;
const TIME = String.raw`\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?`;

/** Returns the pattern of the texts that are dates. */
const pattern = (mayBeTime: boolean): string =>
  mayBeTime ? `(${DAY}[T ])?${TIME}Z?|${DAY}` : `${DAY}([T ]${TIME}Z?)?`;

/** Replaces a text that is not a date, whose numbers are then hidden. */
const SOME_DAY = '2000-01-01';

export interface ReadDate {
  /** `isDate` is true if the text is a date, `[N, 1]` of booleans. */
  readonly isDate: Name;
  /** The numbers of the parts, `[N, 1]` of float32 each. They mean nothing if the text is not a date. */
  readonly numbers: readonly Name[];
}

/**
 * Adds nodes that read a column of dates.
 *
 * @param text `[N, 1]` of strings
 */
export function addDate(g: Nodes, text: Name, { parts, years }: DateColumn): ReadDate {
  const mayBeTime = parts.every((part) => part === 'hour');
  const matches = g.add('RegexFullMatch', [text], [attribute.text('pattern', pattern(mayBeTime))]);
  const written = g.add('Where', [matches, text, g.text(SOME_DAY)]);
  const date = addFields(g, mayBeTime ? addSomeDay(g, written) : written);
  const days = daysOf(g, date);
  const isDate = all(g, [
    matches,
    within(g, date.month, 1, 12),
    within(g, date.day, 1, days.inMonth),
    within(g, date.hours, 0, 24),
    within(g, date.minutes, 0, 59),
    within(g, date.seconds, 0, 60),
  ]);
  return { isDate, numbers: parts.flatMap((part) => numbersOf(g, part, date, days, years)) };
}

/** Puts a day before a time alone. */
function addSomeDay(g: Nodes, text: Name): Name {
  const hasDay = g.add('RegexFullMatch', [text], [attribute.text('pattern', `${DAY}.*`)]);
  return g.add('Where', [hasDay, text, g.add('StringConcat', [g.text(`${SOME_DAY} `), text])]);
}

/** The fields of a date, `[N, 1]` each. Whole numbers are int64, seconds double. */
interface Fields {
  readonly year: Name;
  readonly month: Name;
  readonly day: Name;
  readonly hours: Name;
  readonly minutes: Name;
  readonly seconds: Name;
}

/** Splits `2024-05-17T17:30`. Zeros are appended to the text for what is not written. */
function addFields(g: Nodes, text: Name): Fields {
  const withoutZone = pieces(g, g.add('StringConcat', [text, g.text('Z')]), 'Z', [0])[0] ?? '';
  const halves = pieces(g, g.add('StringConcat', [withoutZone, g.text('T')]), 'T', [0, 1]);
  // Without a delimiter, StringSplit splits at spaces, however many there are.
  const spaced = g.add('StringConcat', [
    g.add('StringConcat', [halves[0] ?? '', g.text(' ')]),
    g.add('StringConcat', [halves[1] ?? '', g.text(' 0:0:0')]),
  ]);
  const [day = '', time = ''] = pieces(g, spaced, undefined, [0, 1]);
  const [years = '', months = '', days = ''] = pieces(g, day, '-', [0, 1, 2]);
  const [hours = '', minutes = '', seconds = ''] = pieces(
    g,
    g.add('StringConcat', [time, g.text(':0:0')]),
    ':',
    [0, 1, 2],
  );
  return {
    year: g.cast(years, 'int64'),
    month: g.cast(months, 'int64'),
    day: g.cast(days, 'int64'),
    hours: g.cast(hours, 'int64'),
    minutes: g.cast(minutes, 'int64'),
    seconds: g.cast(seconds, 'double'),
  };
}

/** Returns some of the pieces of each text, `[N, 1]` each. */
function pieces(g: Nodes, text: Name, delimiter: string | undefined, indices: readonly number[]): readonly Name[] {
  const delimiters = delimiter === undefined ? [] : [attribute.text('delimiter', delimiter)];
  const split = g.add('StringSplit', [text], delimiters);
  return indices.map((i) => g.add('Gather', [split, g.constant('int64', i)], [attribute.int('axis', 2)]));
}

interface Days {
  /** Days of the date's month, int64. */
  readonly inMonth: Name;
  /** Days since 1 January, int64. */
  readonly ofYear: Name;
}

function daysOf(g: Nodes, { year, month, day }: Fields): Days {
  const index = g.add('Sub', [clipped(g, month, 1, 12), g.constant('int64', 1)]);
  const leap = g.cast(isLeap(g, year), 'int64');
  const before = g.add('Gather', [g.constant('int64', daysBefore), index]);
  const isLater = g.cast(g.add('Greater', [month, g.constant('int64', 2)]), 'int64');
  const isFebruary = g.cast(g.add('Equal', [month, g.constant('int64', 2)]), 'int64');
  const usual = g.add('Gather', [g.constant('int64', daysInMonth), index]);
  return {
    inMonth: g.add('Add', [usual, g.add('Mul', [leap, isFebruary])]),
    ofYear: g.add('Sub', [
      g.add('Add', [g.add('Add', [before, g.add('Mul', [leap, isLater])]), day]),
      g.constant('int64', 1),
    ]),
  };
}

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const daysBefore = daysInMonth.map((_, month) => daysInMonth.slice(0, month).reduce((sum, days) => sum + days, 0));

/** Every fourth year is a leap year, but of the hundreds only every fourth. */
function isLeap(g: Nodes, year: Name): Name {
  const isMultiple = (of: number) =>
    g.add('Equal', [g.add('Mod', [year, g.constant('int64', of)]), g.constant('int64', 0)]);
  return g.add('Or', [g.add('And', [isMultiple(4), g.add('Not', [isMultiple(100)])]), isMultiple(400)]);
}

/** Days from 1 January of the year 1 to 1 January 1970, which was a Thursday; Monday is 0. */
const EPOCH = 719_162;
const THURSDAY = 3;

function numbersOf(
  g: Nodes,
  part: DatePart,
  date: Fields,
  days: Days,
  [first, last]: readonly [first: number, last: number],
): readonly Name[] {
  const turn = (share: Name): readonly Name[] => {
    const angle = g.add('Mul', [share, g.constant('double', 2 * Math.PI)]);
    return [g.cast(g.add('Sin', [angle]), 'float'), g.cast(g.add('Cos', [angle]), 'float')];
  };
  const shareOf = (amount: Name, of: number): Name =>
    g.add('Div', [g.cast(amount, 'double'), g.constant('double', of)]);
  switch (part) {
    case 'year':
      return [g.cast(clipped(g, date.year, first, last), 'float')];
    case 'season':
      return turn(shareOf(days.ofYear, 365.2425));
    case 'day of month': {
      const past = g.add('Sub', [date.day, g.constant('int64', 1)]);
      return turn(g.add('Div', [g.cast(past, 'double'), g.cast(days.inMonth, 'double')]));
    }
    case 'weekday': {
      const since = g.add('Add', [sinceEpoch(g, date.year, days), g.constant('int64', THURSDAY)]);
      return turn(shareOf(g.add('Mod', [since, g.constant('int64', 7)]), 7));
    }
    case 'hour': {
      const minutes = shareOf(date.minutes, 60);
      const seconds = g.add('Div', [date.seconds, g.constant('double', 3600)]);
      const hours = g.add('Add', [g.add('Add', [g.cast(date.hours, 'double'), minutes]), seconds]);
      return turn(g.add('Div', [hours, g.constant('double', 24)]));
    }
  }
}

function sinceEpoch(g: Nodes, year: Name, { ofYear }: Days): Name {
  const before = g.add('Sub', [year, g.constant('int64', 1)]);
  const every = (years: number) => g.add('Div', [before, g.constant('int64', years)]);
  const ordinary = g.add('Mul', [before, g.constant('int64', 365)]);
  const leap = g.add('Add', [g.add('Sub', [every(4), every(100)]), every(400)]);
  const past = g.add('Sub', [g.add('Add', [ordinary, leap]), g.constant('int64', EPOCH)]);
  return g.add('Add', [past, ofYear]);
}

const clipped = (g: Nodes, value: Name, min: number, max: number): Name =>
  g.add('Min', [g.add('Max', [value, g.constant('int64', min)]), g.constant('int64', max)]);

/** Is true if a number is from `min` to `max`, which is a number or a value of int64. */
function within(g: Nodes, value: Name, min: number, max: number | Name): Name {
  const number = g.cast(value, 'double');
  const upper = typeof max === 'number' ? g.constant('double', max) : g.cast(max, 'double');
  return g.add('And', [
    g.add('GreaterOrEqual', [number, g.constant('double', min)]),
    g.add('LessOrEqual', [number, upper]),
  ]);
}

const all = (g: Nodes, [first = '', ...others]: readonly Name[]): Name =>
  others.reduce((both, other) => g.add('And', [both, other]), first);
