/**
 * The columns of a table: what they hold, and how a cell of text becomes the number that the model takes.
 * The model itself normalizes numbers and spreads categories, so a raw row has one number for each column.
 */
import * as z from 'zod';
import { quote, unexpected } from '../files/index.ts';

/** A number, as it stands in the file. */
const numericColumn = z.strictObject({
  kind: z.literal('numeric'),
  name: z.string(),
  /** Stands in for a missing number; null where none may be missing. */
  fill: z.number().nullable(),
});

/** A text of a closed set, which enters as its index in `categories`. */
const categoricalColumn = z.strictObject({
  kind: z.literal('categorical'),
  name: z.string(),
  categories: z.array(z.string()).readonly(),
  /** Stands in for a missing category, by its index; null where none may be missing. */
  fill: z.int().nonnegative().nullable(),
});

export const columnSchema = z.discriminatedUnion('kind', [numericColumn.readonly(), categoricalColumn.readonly()]);

export type Column = z.output<typeof columnSchema>;
export type ColumnKind = Column['kind'];

/** More different texts are not categories: the column is free text, an identifier, or numbers with a slip among them. */
export const MAX_CATEGORIES = 1000;

/** Cells that hold nothing, besides the empty one: what R, pandas and the UCI repository write. */
const MISSING = new Set(['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL']);

export const isMissing = (text: string) => MISSING.has(text);

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const isNumber = (text: string) => NUMBER.test(text);

/** Numbers by size, other texts by code unit: an order that does not depend on the rows'. */
export function sortTexts(texts: Iterable<string>): string[] {
  const list = [...texts];
  return list.every(isNumber) ? list.sort((a, b) => Number(a) - Number(b)) : list.sort();
}

/** Where a cell stands, for messages. */
interface Place {
  readonly line: number;
  readonly text: string;
}

const NO_TEXTS: ReadonlySet<string> = new Set();

/** What one pass over a column has seen of it. A column of numbers keeps none of them unless it is asked to. */
export class ColumnProfile {
  readonly name: string;
  firstWord: Place | undefined;
  readonly #keepsNumbers: boolean;
  #texts: Set<string> | undefined;
  #missedNumbers = false;

  constructor(name: string, keepsNumbers: boolean) {
    this.name = name;
    this.#keepsNumbers = keepsNumbers;
  }

  add(text: string, line: number): void {
    if (isMissing(text)) return;
    if (this.firstWord === undefined && !isNumber(text)) this.firstWord = { line, text };
    if (this.firstWord === undefined && !this.#keepsNumbers) this.#missedNumbers = true;
    else if (this.texts.size <= MAX_CATEGORIES) (this.#texts ??= new Set()).add(text);
  }

  /** The different texts, missing ones apart; one more than MAX_CATEGORIES stands for too many. */
  get texts(): ReadonlySet<string> {
    return this.#texts ?? NO_TEXTS;
  }

  /** Whether numbers came before the first word, so that one more pass is needed that keeps them. */
  get isIncomplete(): boolean {
    return this.firstWord !== undefined && this.#missedNumbers;
  }

  get kind(): ColumnKind {
    return this.firstWord === undefined ? 'numeric' : 'categorical';
  }

  /** @throws {UserError} when there are too many, naming the cell that would have to be a number. */
  categories(path: string): string[] {
    if (this.texts.size <= MAX_CATEGORIES) return sortTexts(this.texts);
    const where = `${path}: ${this.firstWord ? `line ${this.firstWord.line}, ` : ''}column ${quote(this.name)}`;
    const got = this.firstWord ? quote(this.firstWord.text) : 'more numbers';
    throw unexpected(where, `numbers, or at most ${MAX_CATEGORIES} different texts`, got);
  }
}

/** Turns a cell into a column's number, NaN for a missing one; `where` is asked only when it must be complained of. */
export type Encoder = (text: string, where: () => string) => number;

/** @param wanted where a value may not be missing, for the message; else null */
export function encoderOf(column: Column, wanted: string | null): Encoder {
  const encode = column.kind === 'numeric' ? encodeNumber : encodeCategory(column.categories);
  return (text, where) => {
    if (!isMissing(text)) return encode(text, where);
    if (wanted === null) return NaN;
    throw unexpected(where(), wanted, 'none');
  };
}

/** @throws {UserError} unless it is a number in the range of float32. */
function encodeNumber(text: string, where: () => string): number {
  const value = Math.fround(Number(text));
  if (!isNumber(text) || !Number.isFinite(value)) throw unexpected(where(), 'a number', quote(text));
  return value;
}

function encodeCategory(categories: readonly string[]): Encoder {
  const indices = new Map(categories.map((category, index) => [category, index]));
  return (text, where) => {
    const index = indices.get(text);
    if (index === undefined) throw unexpected(where(), `one of ${categories.length} categories`, quote(text));
    return index;
  };
}
