/**
 * Detects columns whose numbers float32 cannot tell apart: it rounds times in milliseconds to steps of about two
 * minutes, and long identifiers likewise.
 */

/** The number of distinct values that are compared: enough to notice the loss. */
const max = 4096;

/** Float32 represents all whole numbers up to this one. */
export const exactUpTo = 2 ** 24;

export class FloatPrecision {
  readonly #numbers = new Set<number>();
  readonly #floats = new Map<number, number>();
  #example: readonly [number, number] | undefined;

  add(value: number): void {
    if (Math.abs(value) <= exactUpTo || this.#numbers.size >= max || this.#numbers.has(value)) return;
    this.#numbers.add(value);
    const float = Math.fround(value);
    const other = this.#floats.get(float);
    if (other === undefined) this.#floats.set(float, value);
    else this.#example ??= [other, value];
  }

  /** Two numbers that become the same in float32. Undefined where at most one distinct number in a hundred is lost. */
  get collapsed(): readonly [number, number] | undefined {
    const lost = this.#numbers.size - this.#floats.size;
    return lost > 0.01 * this.#numbers.size ? this.#example : undefined;
  }
}

/**
 * Returns the note for the user, if float32 loses numbers of a column.
 *
 * @param name of the column, as messages show it
 */
export function noteOnPrecision(name: string, { collapsed }: FloatPrecision): readonly string[] {
  if (!collapsed) return [];
  const [a, b] = collapsed;
  return [
    `${name}: float32 cannot hold its numbers apart: ${a} and ${b} become the same; subtract what they have in common, or leave it out with --ignore`,
  ];
}
