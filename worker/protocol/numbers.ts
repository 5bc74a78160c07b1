/** Rounds to the seven digits that a 32-bit float holds: the others would double an answer's length and say nothing. */
export function toFloatDigits(value: number): number {
  return Number(value.toPrecision(7));
}
