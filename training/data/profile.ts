/** What the columns of a table hold, as far as their cells tell. */
import { isMissing, isPlainNumber as isNumber } from '../columns/index.ts';
import { quote, unexpected } from '../files/index.ts';

/** More different texts are not categories: the column is free text, an identifier, or numbers with a slip among them. */
export const MAX_CATEGORIES = 1000;

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

  get kind(): 'numeric' | 'categorical' {
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
