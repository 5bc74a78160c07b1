/** What one pass over a column has seen of it, with as little of the file in memory as its kind can be told by. */
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
import { exactUpTo, FloatPrecision } from './apart.ts';

/** More different texts are not categories: the column is free text, an identifier, or numbers with a slip among them. */
export const MAX_CATEGORIES = 10_000;
export const MAX_CLASSES = 1000;

/** As many texts of which nearly each came once are not categories either, unless a user says so. */
const SUSPECT = 1000;
/** From this share of different texts on nearly each came once. */
export const NEARLY_ALL = 0.95;

/** Numbers by size, other texts by code unit: an order that does not depend on the rows'. */
export function sortTexts(texts: Iterable<string>): string[] {
  const list = [...texts];
  return list.every((text) => !Number.isNaN(parseNumber(text)))
    ? list.sort((a, b) => parseNumber(a) - parseNumber(b) || (a < b ? -1 : 1))
    : list.sort();
}

/** Where a cell stands, for messages. */
export interface Place {
  readonly line: number;
  readonly text: string;
}

type TextKind = 'number' | 'date' | 'word';

/** A text that came, and how often. */
interface Seen {
  readonly kind: TextKind;
  count: number;
}

/** What all columns keep together; what is more takes hundreds of bytes for each of the file's. */
export class TextBudget {
  static readonly most = 250_000;
  left = TextBudget.most;
}

const NO_TEXTS: ReadonlyMap<string, Seen> = new Map();
const NO_COUNTS: ReadonlyMap<string, number> = new Map();

export interface ProfileOptions {
  readonly decimal: Decimal;
  readonly isLabel: boolean;
  /** Whether numbers may be categories: their texts are then kept, which for columns of numbers would be the file. */
  readonly keepsNumbers: boolean;
  /** Whether a user says that the column holds categories. */
  readonly isTold?: boolean;
  readonly budget: TextBudget;
}

/** Points that may stand between groups of three digits; whole numbers without; numbers that say it is a decimal point. */
const [GROUPED, WHOLE, DECIMAL] = [1, 2, 4] as const;

/** Of a code; months and hours have fewer. */
const LEAST_DIGITS = 3;

export class ColumnProfile {
  readonly name: string;
  missing = 0;
  firstMissing = 0;
  /** Of a label: texts that are classes among words, and missing among numbers. */
  doubtful: ReadonlyMap<string, number> = NO_COUNTS;
  firstDoubtful = 0;
  /** Of the numbers. */
  min = Infinity;
  max = -Infinity;
  isWhole = true;
  isPlain = true;
  /** Of large numbers, where there are any. */
  precision: FloatPrecision | undefined;
  /** Whether each number is one more than that before, as row numbers are. */
  isCounting = true;
  firstUnfit: Place | undefined;
  /** The first whole number that is written with zeros before it. */
  firstPadded: Place | undefined;
  unit: string | undefined;
  firstWord: Place | undefined;
  /** How many rows had come when there were too many texts to keep. */
  rowsUntilFull = 0;
  firstYear = Infinity;
  lastYear = -Infinity;
  hasDays = false;
  hasHours = false;
  isNeverTimeAlone = true;
  /** What was seen of points, as bits in one number: there may be a hundred thousand columns. */
  #points = 0;
  /** How many digits each number has and nothing else; 0 where they differ. */
  #digits: number | undefined;
  readonly #options: ProfileOptions;
  #numbers = 0;
  #dates = 0;
  #words = 0;
  #wordLengths = 0;
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
    else {
      this.firstWord ??= { line, text };
      this.#wordLengths += text.split(' ').length;
    }
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

  /** Whether the numbers are names of something, such as the postal code 00501: all of as many digits, with zeros before some. */
  get isOfCodes(): boolean {
    return this.firstPadded !== undefined && (this.#digits ?? 0) >= LEAST_DIGITS;
  }

  #countDigits(text: string, line: number): void {
    const digits = /^\d+$/.test(text) ? text.length : 0;
    this.#digits = this.#digits === undefined || this.#digits === digits ? digits : 0;
    if (digits > 1 && text.startsWith('0')) this.firstPadded ??= { line, text };
  }

  /** Whether there are numbers such as `1.031` beside such as `942`, and none that says what the point is. */
  get pointsMayGroup(): boolean {
    return this.#points === (GROUPED | WHOLE);
  }

  #lookForGroups(text: string): void {
    const point = text.indexOf('.');
    const isGrouped = point > 0 && point <= 3 && text.length - point === 4 && !text.startsWith('0');
    if (point < 0) this.#points |= text.length > 3 ? DECIMAL : WHOLE;
    else this.#points |= isGrouped ? GROUPED : DECIMAL;
  }

  #addDate(text: string, { year, hour, hasDay }: DateValue): void {
    // Midnight is what programs write that know of no hours.
    if (hour !== undefined && (hour !== 0 || !hasDay)) this.hasHours = true;
    if (!hasDay) {
      this.isNeverTimeAlone = false;
      return;
    }
    this.hasDays = true;
    this.firstYear = Math.min(this.firstYear, year);
    this.lastYear = Math.max(this.lastYear, year);
    const orders = ordersOf(text);
    this.#orders = new Set(this.#orders ? [...this.#orders].filter((order) => orders.includes(order)) : orders);
  }

  /** A text that is kept is counted by its entry. */
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
    const { isLabel, isTold = false } = this.#options;
    if (isLabel || isTold || size !== SUSPECT + 1) return size > (isLabel ? MAX_CLASSES : MAX_CATEGORIES);
    return size >= NEARLY_ALL * this.#present();
  }

  #present(): number {
    return this.counts().number + this.counts().date + this.counts().word;
  }

  /** Cells by what they hold, missing ones apart. */
  counts(): Readonly<Record<TextKind, number>> {
    const all = { number: this.#numbers, date: this.#dates, word: this.#words };
    for (const { kind, count } of this.texts.values()) all[kind] += count;
    return all;
  }

  /** The different texts, or those that had come when there were too many. */
  get texts(): ReadonlyMap<string, Seen> {
    return this.#texts ?? NO_TEXTS;
  }

  get isFull(): boolean {
    return this.rowsUntilFull > 0;
  }

  /** How many words a text of words has, on average over those that are kept. */
  wordsInText(): number {
    const words = [...this.texts.values()].filter(({ kind }) => kind === 'word').length;
    return words === 0 ? 0 : this.#wordLengths / Math.max(words, 1);
  }

  /** Ways to read the dates, the likeliest first; none where each of them fails at some date. */
  get orders(): readonly DateOrder[] {
    return [...(this.#orders ?? [])];
  }

  /** Whether there were numbers whose texts are not kept, so that one more pass is needed to take them for categories. */
  get lacksNumbers(): boolean {
    return this.#missedNumbers;
  }
}
