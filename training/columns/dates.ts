/**
 * Dates and times as people write them, and the numbers that a model takes of them: the year, and angles for what comes again, so that
 * December stands beside January and a later year is like those before. Times are taken as they are written, in whatever zone.
 */
import type { DateOrder, DatePart } from './column.ts';

export const dateParts = ['year', 'season', 'day of month', 'weekday', 'hour'] as const satisfies readonly DatePart[];

export const dateOrders = ['YMD', 'DMY', 'MDY'] as const satisfies readonly DateOrder[];

export interface DateValue {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** With minutes and seconds as its fraction; undefined where no time is written. */
  readonly hour: number | undefined;
  /** Whether a day is written, or a time alone. */
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

/** Cheap: a text without two groups of digits is no date. */
const looksLike = (text: string): boolean =>
  text.length <= LONGEST && /^[a-z,.\s]*\d[^]*\d/i.test(text) && /[-/.:\s]/.test(text);

/** Undefined for what is no date. @param order of the numbers where the year is not the first */
export function parseDate(text: string, order: DateOrder): DateValue | undefined {
  if (!looksLike(text)) return undefined;
  const iso = ISO.exec(text);
  if (iso) return dated([iso[1], iso[3], iso[4]], iso.slice(5));
  const numbers = NUMBERS.exec(text);
  if (numbers) {
    const [, first, separator, second, year] = numbers;
    // With dots the day comes first everywhere; else, where only dates with the year in front are known, nobody can tell.
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

/** Where the day comes before the month, or behind it; both of `03/04/2024`, none of what is no such date. */
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
  // As POSIX reads years of two digits.
  const year = parts[0]?.length === 2 ? written + (written < 69 ? 2000 : 1900) : written;
  const hour = time[0] === undefined ? undefined : hourOf(time);
  if (hour === null || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
  return { year, month, day, hour, hasDay: true };
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();

/** Null for what is no time of the day. */
function hourOf([hours, minutes, seconds = '0', half]: readonly (string | undefined)[]): number | null {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 24 || m > 59 || s > 60 || (half !== undefined && (h < 1 || h > 12))) return null;
  const of24 = half === undefined ? h : (h % 12) + (/^p/i.test(half) ? 12 : 0);
  return of24 + m / 60 + s / 3600;
}

/** How many numbers a part gives. */
export const numbersOf = (part: DatePart): 1 | 2 => (part === 'year' ? 1 : 2);

/** Writes the numbers of a date one after another: the year, and a point on the circle for each other part. */
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

/** Where a date stands among others, in days; a time alone as if it were of one day. */
export const instantOf = ({ year, month, day, hour = 0 }: DateValue): number => daysOf(year, month, day) + hour / 24;

/** The same of the numbers that `writeDate` has written; NaN where these are. */
export function readInstant(
  numbers: { readonly [index: number]: number },
  at: number,
  parts: readonly DatePart[],
  [first]: readonly [first: number, last: number],
): number {
  let [place, year, turn, hour] = [at, first, 0, 0];
  for (const part of parts) {
    const around = Math.atan2(numbers[place] ?? NaN, numbers[place + 1] ?? NaN) / (2 * Math.PI);
    const share = around < 0 ? around + 1 : around;
    if (part === 'year') year = numbers[place] ?? NaN;
    else if (part === 'season') turn = share;
    else if (part === 'hour') hour = Math.round(share * SECONDS) / 3600;
    place += numbersOf(part);
  }
  return daysOf(year, 1, 1 + Math.round(turn * YEAR)) + hour / 24;
}

/** `2024-05-17`, with `17:30` or `17:30:05` behind it where the hour is one of the parts, or that alone. */
export function textOfInstant(instant: number, parts: readonly DatePart[]): string {
  const seconds = Math.round(instant * SECONDS);
  const [day = '', time = ''] = new Date(seconds * 1000).toISOString().split(/[T.]/);
  const texts = [
    ...(parts.some((part) => part !== 'hour') ? [day] : []),
    ...(parts.includes('hour') ? [time.replace(/:00$/, '')] : []),
  ];
  return texts.join(' ');
}

/** Unlike `Date.UTC` it takes the year 24 for what it is. */
const daysOf = (year: number, month: number, day: number): number =>
  new Date(0).setUTCFullYear(year, month - 1, day) / DAY;

const SECONDS = 86_400;
const DAY = 1000 * SECONDS;
const YEAR = 365.2425;

/** The share of the way around, 0 to 1. */
function turnOf({ year, month, day, hour = 0 }: DateValue, part: Exclude<DatePart, 'year'>): number {
  switch (part) {
    case 'season':
      return (Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / DAY / YEAR;
    case 'day of month':
      return (day - 1) / daysIn(year, month);
    case 'weekday':
      // 1 January 1970 was a Thursday; Monday is 0.
      return ((((Date.UTC(year, month - 1, day) / DAY + 3) % 7) + 7) % 7) / 7;
    case 'hour':
      return hour / 24;
  }
}
