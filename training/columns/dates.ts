/**
 * Parses dates and times as people write them, and converts them to a model's inputs: the year, and angles for what
 * recurs, so that December is next to January and a later year resembles earlier ones. Times are taken as written, in
 * any time zone.
 */
import { at as elementAt } from '../arrays/index.ts';
import type { DateOrder, DatePart } from './column.ts';

export const dateParts = ['year', 'season', 'day of month', 'weekday', 'hour'] as const satisfies readonly DatePart[];

export const dateOrders = ['YMD', 'DMY', 'MDY'] as const satisfies readonly DateOrder[];

export interface DateValue {
  readonly year: number;
  /** From 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** With minutes and seconds as its fraction; undefined where no time is written. */
  readonly hour: number | undefined;
  /** Is true where a day is written, and false for a time alone. */
  readonly hasDay: boolean;
}

const TIME = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*([ap]\.?m\.?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?`;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = String.raw`(?:(?:${MONTHS.join('|')})[a-z]*\.?)`;

const withTime = (day: string) => new RegExp(`^${day}(?:(?:T|,?\\s+)${TIME})?$`, 'i');
const ISO = withTime(String.raw`(\d{4})([-/.])(\d{1,2})\2(\d{1,2})`);
const NUMBERS = withTime(String.raw`(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})`);
const DAY_NAME = withTime(
  String.raw`(?:[a-z]{3,9},?\s+)?(\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(${MONTH})[\s,-]+(\d{4}|\d{2})`,
);
const NAME_DAY = withTime(String.raw`(?:[a-z]{3,9},?\s+)?(${MONTH})\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})`);
const TIME_ALONE = new RegExp(`^${TIME}$`, 'i');

const LONGEST = 50;

/** Cheaply excludes texts that cannot be dates: too long ones, and those without two digits or any separator. */
const mayBeDate = (text: string): boolean =>
  text.length <= LONGEST && /^[a-z,.\s]*\d[^]*\d/i.test(text) && /[-/.:\s]/.test(text);

/**
 * Parses a date; undefined for a text that is not one.
 *
 * @param order of the numbers where the year is not the first
 */
export function parseDate(text: string, order: DateOrder): DateValue | undefined {
  if (!mayBeDate(text)) return undefined;
  const iso = ISO.exec(text);
  if (iso) return dated([iso[1], iso[3], iso[4]], iso.slice(5));
  const numbers = NUMBERS.exec(text);
  if (numbers) {
    const [, first, separator, second, year] = numbers;
    // With dots the day always comes first. With other separators the order cannot be known where the year always comes
    // first.
    if (order === 'YMD' && separator !== '.') return undefined;
    const monthFirst = order === 'MDY' && separator !== '.';
    return dated(monthFirst ? [year, first, second] : [year, second, first], numbers.slice(5));
  }
  const dayName = DAY_NAME.exec(text);
  if (dayName) return dated([dayName[3], monthOf(dayName[2]), dayName[1]], dayName.slice(4));
  const nameDay = NAME_DAY.exec(text);
  if (nameDay) return dated([nameDay[3], monthOf(nameDay[1]), nameDay[2]], nameDay.slice(4));
  const time = TIME_ALONE.exec(text);
  const hour = time && hourOf(time.slice(1));
  return typeof hour === 'number' ? { year: 0, month: 1, day: 1, hour, hasDay: false } : undefined;
}

/**
 * Returns the orders in which a text can be read as a date: both for `03/04/2024`, all where the order does not matter,
 * and none for a text that is not a date.
 */
export function ordersOf(text: string): readonly DateOrder[] {
  if (!NUMBERS.test(text)) return parseDate(text, 'YMD') ? dateOrders : [];
  const candidates: readonly DateOrder[] = text.includes('.') ? ['DMY'] : ['MDY', 'DMY'];
  return candidates.filter((order) => parseDate(text, order) !== undefined);
}

const monthOf = (name = ''): string => `${MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1}`;

function dated(
  parts: readonly [year: string | undefined, month: string | undefined, day: string | undefined],
  time: readonly (string | undefined)[],
): DateValue | undefined {
  const [written = NaN, month = NaN, day = NaN] = parts.map(Number);
  // POSIX reads years of two digits like this.
  const year = parts[0]?.length === 2 ? written + (written < 69 ? 2000 : 1900) : written;
  const hour = time[0] === undefined ? undefined : hourOf(time);
  if (hour === null || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  return { year, month, day, hour, hasDay: true };
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

/** Returns the hour with its fraction, or null where it is not a time of the day. */
function hourOf([hours, minutes, seconds = '0', half]: readonly (string | undefined)[]): number | null {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 24 || m > 59 || s > 60 || (half !== undefined && (h < 1 || h > 12))) return null;
  const of24 = half === undefined ? h : (h % 12) + (/^p/i.test(half) ? 12 : 0);
  return of24 + m / 60 + s / 3600;
}

/** Returns how many inputs a part becomes. */
export const numbersOf = (part: DatePart): 1 | 2 => (part === 'year' ? 1 : 2);

/** Writes the inputs of a date in order: the year, and a point on the circle (sine, cosine) for each other part. */
export function writeDate(
  date: DateValue,
  parts: readonly DatePart[],
  [first, last]: readonly [first: number, last: number],
  into: { [index: number]: number },
  at: number,
): void {
  let next = at;
  for (const part of parts) {
    if (part === 'year') {
      into[next++] = Math.min(Math.max(date.year, first), last);
    } else {
      const angle = 2 * Math.PI * turnOf(date, part);
      into[next++] = Math.sin(angle);
      into[next++] = Math.cos(angle);
    }
  }
}

/** Returns a date's position on the time axis in days; a time alone is taken as of a fixed day. */
export const instantOf = ({ year, month, day, hour = 0 }: DateValue): number => daysOf(year, month, day) + hour / 24;

/** Computes the same from the inputs that `writeDate` has written; NaN where these are NaN. */
export function readInstant(
  numbers: ArrayLike<number>,
  at: number,
  parts: readonly DatePart[],
  [first]: readonly [first: number, last: number],
): number {
  let [place, year, days, hour] = [at, first, 0, 0];
  for (const part of parts) {
    if (part === 'year') year = elementAt(numbers, place);
    else if (part === 'season') days = Math.round(readTurn(numbers, place) * YEAR);
    else if (part === 'hour') hour = Math.round(readTurn(numbers, place) * SECONDS) / 3600;
    place += numbersOf(part);
  }
  return daysOf(year, 1, 1 + days) + hour / 24;
}

/** Returns the position within a cycle, from 0 to 1, of the point on the circle (sine, cosine) at `at`. */
function readTurn(numbers: ArrayLike<number>, at: number): number {
  const turn = Math.atan2(elementAt(numbers, at), elementAt(numbers, at + 1)) / (2 * Math.PI);
  return turn < 0 ? turn + 1 : turn;
}

/**
 * Formats an instant: `2024-05-17`, followed by `17:30` or `17:30:05` where the hour is one of the parts, or the time
 * alone.
 */
export function textOfInstant(instant: number, parts: readonly DatePart[]): string {
  const seconds = Math.round(instant * SECONDS);
  const [day = '', time = ''] = new Date(seconds * 1000).toISOString().split(/[T.]/);
  const texts = [
    ...(parts.some((part) => part !== 'hour') ? [day] : []),
    ...(parts.includes('hour') ? [time.replace(/:00$/, '')] : []),
  ];
  return texts.join(' ');
}

/** Returns the days since 1970. Unlike `Date.UTC`, it does not take the year 24 for 1924. */
const daysOf = (year: number, month: number, day: number): number =>
  new Date(0).setUTCFullYear(year, month - 1, day) / DAY;

const SECONDS = 86_400;
const DAY = 1000 * SECONDS;
const YEAR = 365.2425;

/** Returns the position within a cycle, from 0 to 1. */
function turnOf({ year, month, day, hour = 0 }: DateValue, part: Exclude<DatePart, 'year'>): number {
  switch (part) {
    case 'season':
      return (daysOf(year, month, day) - daysOf(year, 1, 1)) / YEAR;
    case 'day of month':
      return (day - 1) / daysIn(year, month);
    case 'weekday':
      // 1 January 1970 was a Thursday; Monday is 0.
      return ((((daysOf(year, month, day) + 3) % 7) + 7) % 7) / 7;
    case 'hour':
      return hour / 24;
  }
}
