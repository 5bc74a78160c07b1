/**
 * Counts rows of the validation and test parts that are also training rows. A score on them partly measures
 * memorization.
 */
import { present } from '../arrays/index.ts';
import { count } from '../files/index.ts';
import type { Dataset } from './dataset.ts';
import type { Splits } from './split.ts';

/** Returns a note for the user where there are such rows. */
export function noteDuplicates({ train, validation, test }: Splits): readonly string[] {
  const known = new Numbers(train.count);
  for (const hash of hashesOf(train)) known.add(hash);
  const [ofValidation, ofTest] = [validation, test].map((part) => {
    let found = 0;
    for (const hash of hashesOf(part)) if (known.has(hash)) found++;
    return found > 0 ? `${count(found)} of the ${count(part.count)}` : undefined;
  });
  const parts = [ofValidation && `${ofValidation} validation rows`, ofTest && `${ofTest} test rows`].filter(Boolean);
  return parts.length > 0
    ? [`${parts.join(' and ')} also are among the training rows, as a whole: the scores are a little too good`]
    : [];
}

/** Hashes each row with its target to 53 bits, by two multiplicative hashes (the first is FNV-1a) over 32-bit words. */
function* hashesOf(dataset: Dataset): Generator<number> {
  const { inputs, count: rows } = dataset;
  const targets = dataset.task === 'classification' ? dataset.labels : dataset.values;
  const words = new Uint32Array(inputs.buffer, inputs.byteOffset, inputs.byteLength >> 2);
  const targetWords = new Uint32Array(targets.buffer, targets.byteOffset, targets.length);
  const width = words.length / rows;
  for (let row = 0; row < rows; row++) {
    let [a, b] = [2166136261, 374761393];
    const end = (row + 1) * width;
    for (let at = row * width; at <= end; at++) {
      const word = present(at < end ? words[at] : targetWords[row]);
      a = Math.imul(a ^ word ^ (word >>> 15), 16777619);
      b = Math.imul(b + word, 2654435761) ^ (b >>> 13);
    }
    yield (a >>> 0) * 2 ** 21 + ((b >>> 0) & 0x1fffff) + 1;
  }
}

/** A set of positive numbers with open addressing. A `Set` would take more memory than the rows. */
class Numbers {
  readonly #slots: Float64Array;

  constructor(max: number) {
    this.#slots = new Float64Array(2 ** Math.ceil(Math.log2(2 * max + 2)));
  }

  add(number: number): void {
    this.#slots[this.#slotOf(number)] = number;
  }

  has(number: number): boolean {
    return this.#slots[this.#slotOf(number)] === number;
  }

  #slotOf(number: number): number {
    const mask = this.#slots.length - 1;
    let slot = Math.imul(Math.floor(number / 2 ** 21) ^ number, 2654435761) & mask;
    while (this.#slots[slot] !== 0 && this.#slots[slot] !== number) slot = (slot + 1) & mask;
    return slot;
  }
}
