/** Whether float32 holds the numbers of a column apart: times in milliseconds are brought to steps of two minutes, long numbers to others. */

/** The first different numbers are enough to see it. */
const most = 4096;

/** Float32 holds all whole numbers up to here. */
export const exactUpTo = 2 ** 24;

export class FloatPrecision {
  readonly #numbers = new Set<number>();
  readonly #floats = new Map<number, number>();
  #example: readonly [number, number] | undefined;

  add(value: number): void {
    if (Math.abs(value) <= exactUpTo || this.#numbers.size >= most || this.#numbers.has(value)) return;
    this.#numbers.add(value);
    const float = Math.fround(value);
    const other = this.#floats.get(float);
    if (other === undefined) this.#floats.set(float, value);
    else this.#example ??= [other, value];
  }

  /** Two numbers that become the same, where that happens to more than one in a hundred. */
  get collapsed(): readonly [number, number] | undefined {
    const lost = this.#numbers.size - this.#floats.size;
    return lost > 0.01 * this.#numbers.size ? this.#example : undefined;
  }
}

/** @param name of the column, as it stands in messages */
export function noteOnPrecision(name: string, { collapsed }: FloatPrecision): readonly string[] {
  if (!collapsed) return [];
  const [a, b] = collapsed;
  return [
    `${name}: float32 cannot hold its numbers apart: ${a} and ${b} become the same; subtract what they have in common, or leave it out with --ignore`,
  ];
}
