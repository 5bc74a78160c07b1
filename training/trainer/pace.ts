/**
 * How many steps the next call of the graph takes. A call costs milliseconds of its own, so that short ones waste time; between calls
 * progress is shown and an interruption noticed, so that long ones feel dead. The results do not depend on it.
 */
export const firstPace = 16;

const mostSteps = 256;
/** Of a call, in milliseconds: what still reads as steady progress. */
const callTime = 200;

/** @param milliseconds that a call of so many `steps` took */
export function nextPace(steps: number, milliseconds: number): number {
  const fitting = Math.round((steps * callTime) / milliseconds);
  return Math.max(1, Math.min(fitting, 2 * steps, mostSteps));
}
