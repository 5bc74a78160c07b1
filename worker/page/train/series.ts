/** Bounds the numbers kept over the steps: at the limit, each pair of neighbours becomes its mean. */

/** The limit: about as many dots as a chart has pixels across. */
const max = 512;

export interface Dot {
  readonly step: number;
  readonly value: number;
}

export class Series {
  #dots: Dot[] = [];
  /** The number of values that a dot averages. */
  #each = 1;
  #open: number[] = [];
  #steps = 0;

  /** Adds the values of the next steps, one a step. */
  add(values: Iterable<number>): void {
    for (const value of values) {
      this.#steps += 1;
      this.#open.push(value);
      if (this.#open.length < this.#each) continue;
      this.#dots.push({ step: this.#steps, value: meanOf(this.#open) });
      this.#open = [];
      if (this.#dots.length >= max) this.#halve();
    }
  }

  /** Returns the dots by ascending step. */
  get dots(): readonly Dot[] {
    return this.#dots;
  }

  #halve(): void {
    this.#each *= 2;
    this.#dots = this.#dots.flatMap((dot, i) => {
      const next = this.#dots[i + 1];
      return i % 2 === 0 && next ? [{ step: next.step, value: (dot.value + next.value) / 2 }] : [];
    });
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Keeps numbers that are measured from time to time, each at its step. At the limit, every second dot is dropped. */
export class Measurements {
  #dots: Dot[] = [];

  add(step: number, value: number): void {
    if (this.#dots.at(-1)?.step === step) this.#dots.pop();
    this.#dots.push({ step, value });
    if (this.#dots.length > max) this.#dots = this.#dots.filter((_, i) => i % 2 === 1);
  }

  get dots(): readonly Dot[] {
    return this.#dots;
  }
}
