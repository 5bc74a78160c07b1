/**
 * Collects what one pass over a column shows, and keeps no more of the file in memory than inferring the column's kind
 * needs.
 */
import {
  type DateOrder,
  type DateValue,
  type Decimal,
  isMissing,
  isMissingClass,
  isPlainNumber,
  LARGEST,
  ordersOf,
  parseDate,
  parseNumber,
  unitOf,
} from '../columns/index.ts';
import { exactUpTo, FloatPrecision } from './float-precision.ts';

/**
 * A column with more than this many different texts does not hold categories: it is free text, an identifier, or
 * numbers with a typo among them.
 */
export const MAX_CATEGORIES = 10_000;
export const MAX_CLASSES = 1000;

/**
 * At this number of different texts, a column in which nearly each occurred once does not hold categories either,
 * unless the user says so.
 */
const SUSPECT = 1000;
/** If at least this share of the texts differ, nearly each occurred once. */
export const NEARLY_ALL = 0.95;

/** Sorts numbers by size, and other texts by code unit: the order does not depend on that of the rows. */
export function sortTexts(texts: Iterable<string>): string[] {
  const list = [...texts];
  return list.every((text) => !Number.isNaN(parseNumber(text)))
    ? list.sort((a, b) => parseNumber(a) - parseNumber(b) || (a < b ? -1 : 1))
    : list.sort();
}

/** The position of a cell, for messages. */
export interface Place {
  readonly line: number;
  readonly text: string;
}

type TextKind = 'number' | 'date' | 'word';

/** The kind of a text, and how often it occurred. */
interface Seen {
  readonly kind: TextKind;
  count: number;
}

/** Limits the texts that all columns keep together; each takes hundreds of bytes. */
export class TextBudget {
  static readonly max = 250_000;
  left = TextBudget.max;
}

const NO_TEXTS: ReadonlyMap<string, Seen> = new Map();
const NO_COUNTS: ReadonlyMap<string, number> = new Map();

export interface ProfileOptions {
  readonly decimal: Decimal;
  readonly isLabel: boolean;
  /**
   * Is true where numbers may be categories. Their texts are then kept; for columns of numbers that would be the whole
   * file.
   */
  readonly keepsNumbers: boolean;
  /** Is true where the user says that the column holds categories. */
  readonly isDeclared?: boolean;
  readonly budget: TextBudget;
}

/**
 * Bits that say what the numbers look like: a point that may separate thousands, whole numbers without one, and numbers
 * that prove the point to be a decimal point.
 */
const [GROUPED, WHOLE, DECIMAL] = [1, 2, 4] as const;

/** The minimum number of digits of a code; months and hours have fewer. */
const MIN_DIGITS = 3;

export class ColumnProfile {
  readonly name: string;
  missing = 0;
  firstMissing = 0;
  /**
   * The texts of a label that are classes if the others are words, but missing if the others are numbers, such as
   * `None`.
   */
  doubtful: ReadonlyMap<string, number> = NO_COUNTS;
  firstDoubtful = 0;
  /** `min`, `max`, `isWhole` and `isPlain` describe the numbers. */
  min = Infinity;
  max = -Infinity;
  isWhole = true;
  isPlain = true;
  /** Tracks numbers beyond 2²⁴; undefined where there are none. */
  precision: FloatPrecision | undefined;
  /** Is true while each number is the previous one plus 1, as row numbers are. */
  isCounting = true;
  firstUnfit: Place | undefined;
  /** The first whole number that is written with leading zeros. */
  firstPadded: Place | undefined;
  unit: string | undefined;
  firstWord: Place | undefined;
  /** The number of rows after which there were too many texts to keep. */
  rowsUntilFull = 0;
  firstYear = Infinity;
  lastYear = -Infinity;
  hasDays = false;
  hasHours = false;
  alwaysHasDay = true;
  /** The kinds of points seen so far, as bits of one number, since there may be a hundred thousand columns. */
  #points = 0;
  /** The number of digits of every number; 0 where they differ or some have more than digits. */
  #digits: number | undefined;
  readonly #options: ProfileOptions;
  #numbers = 0;
  #dates = 0;
  #words = 0;
  #texts: Map<string, Seen> | undefined;
  #orders: Set<DateOrder> | undefined;
  #missedNumbers = false;
  #last = NaN;

  constructor(name: string, options: ProfileOptions) {
    this.name = name;
    this.#options = options;
  }

  add(text: string, line: number): void {
    const seen = this.#texts?.get(text);
    if (seen) {
      seen.count++;
      // A number that repeats counts no rows.
      if (seen.kind === 'number') this.isCounting = false;
      return;
    }
    const { isLabel, decimal, keepsNumbers } = this.#options;
    if (isLabel ? isMissingClass(text) : isMissing(text)) {
      if (this.missing++ === 0) this.firstMissing = line;
      return;
    }
    if (isLabel && isMissing(text)) {
      if (this.doubtful.size === 0) this.firstDoubtful = line;
      this.doubtful = new Map(this.doubtful).set(text, (this.doubtful.get(text) ?? 0) + 1);
      return;
    }
    const isPlain = decimal === '.' && isPlainNumber(text);
    const value = isPlain ? Number(text) : parseNumber(text, decimal);
    if (!Number.isNaN(value)) {
      this.#addNumber(text, value, line, isPlain);
      if (keepsNumbers) this.#keep(text, 'number');
      else {
        this.#numbers++;
        this.#missedNumbers = true;
      }
      return;
    }
    const date = parseDate(text, 'MDY') ?? parseDate(text, 'DMY');
    if (date) this.#addDate(text, date);
    else this.firstWord ??= { line, text };
    this.#keep(text, date ? 'date' : 'word');
  }

  #addNumber(text: string, value: number, line: number, isPlain: boolean): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (Math.abs(value) > exactUpTo) (this.precision ??= new FloatPrecision()).add(value);
    if (Math.abs(value) > LARGEST) this.firstUnfit ??= { line, text };
    if (this.isWhole && !Number.isInteger(value)) this.isWhole = false;
    if (isPlain && (this.#points & DECIMAL) === 0) this.#lookForGroups(text);
    if (this.isCounting && value !== this.#last + 1 && !Number.isNaN(this.#last)) this.isCounting = false;
    this.#last = value;
    if (this.#digits !== 0) this.#countDigits(text, line);
    if (isPlain) return;
    const { decimal } = this.#options;
    this.unit ??= unitOf(text, decimal);
    if (decimal === '.' || /[^\d,+e-]/i.test(text)) this.isPlain = false;
  }

  /**
   * Is true where the numbers are codes, such as the postal code 00501: all have the same number of digits, and some
   * begin with zeros.
   */
  get isOfCodes(): boolean {
    return this.firstPadded !== undefined && (this.#digits ?? 0) >= MIN_DIGITS;
  }

  #countDigits(text: string, line: number): void {
    const digits = /^\d+$/.test(text) ? text.length : 0;
    this.#digits = this.#digits === undefined || this.#digits === digits ? digits : 0;
    if (digits > 1 && text.startsWith('0')) this.firstPadded ??= { line, text };
  }

  /**
   * Is true where the point is ambiguous: there are numbers such as `1.031` beside numbers such as `942`, and none
   * proves the point to be a decimal point.
   */
  get pointsMayGroup(): boolean {
    return this.#points === (GROUPED | WHOLE);
  }

  #lookForGroups(text: string): void {
    const point = text.indexOf('.');
    const isGrouped = point > 0 && point <= 3 && text.length - point === 4 && !text.startsWith('0');
    // A whole number of four digits proves that nothing separates thousands.
    if (point < 0) this.#points |= text.length > 3 ? DECIMAL : WHOLE;
    else this.#points |= isGrouped ? GROUPED : DECIMAL;
  }

  #addDate(text: string, { year, hour, hasDay }: DateValue): void {
    // Programs that know no hours write midnight.
    if (hour !== undefined && (hour !== 0 || !hasDay)) this.hasHours = true;
    if (!hasDay) {
      this.alwaysHasDay = false;
      return;
    }
    this.hasDays = true;
    this.firstYear = Math.min(this.firstYear, year);
    this.lastYear = Math.max(this.lastYear, year);
    const orders = ordersOf(text);
    this.#orders = new Set(this.#orders ? [...this.#orders].filter((order) => orders.includes(order)) : orders);
  }

  /** Counts a text: by its entry where it is kept, by its kind otherwise. */
  #keep(text: string, kind: TextKind): void {
    this.#texts ??= new Map();
    if (!this.isFull) {
      this.#texts.set(text, { kind, count: 1 });
      this.#options.budget.left--;
      if (this.#isTooMany(this.#texts.size)) this.rowsUntilFull = this.#present();
    } else if (kind === 'number') this.#numbers++;
    else if (kind === 'date') this.#dates++;
    else this.#words++;
  }

  #isTooMany(size: number): boolean {
    const { isLabel, isDeclared = false } = this.#options;
    if (isLabel || isDeclared || size !== SUSPECT + 1) return size > (isLabel ? MAX_CLASSES : MAX_CATEGORIES);
    return size >= NEARLY_ALL * this.#present();
  }

  #present(): number {
    const { number, date, word } = this.counts();
    return number + date + word;
  }

  /** Counts the cells by kind, without missing ones. */
  counts(): Readonly<Record<TextKind, number>> {
    const all = { number: this.#numbers, date: this.#dates, word: this.#words };
    for (const { kind, count } of this.texts.values()) all[kind] += count;
    return all;
  }

  /** Returns the different texts, or those that had occurred when there were too many. */
  get texts(): ReadonlyMap<string, Seen> {
    return this.#texts ?? NO_TEXTS;
  }

  get isFull(): boolean {
    return this.rowsUntilFull > 0;
  }

  /** Returns the average number of words in the texts that are kept. */
  wordsInText(): number {
    const lengths = [...this.texts].flatMap(([text, { kind }]) => (kind === 'word' ? [text.split(' ').length] : []));
    return lengths.length === 0 ? 0 : lengths.reduce((sum, length) => sum + length) / lengths.length;
  }

  /**
   * Returns the orders in which all dates can be read, the most likely first; none where each order fails at some date.
   */
  get orders(): readonly DateOrder[] {
    return [...(this.#orders ?? [])];
  }

  /**
   * Is true where numbers occurred whose texts were not kept, so that taking them for categories needs another pass.
   */
  get lacksNumbers(): boolean {
    return this.#missedNumbers;
  }
}
