/**
 * Runs candidates in interleaved rounds, every other round in reverse order: a machine that slows down or is shared
 * slows all of them alike, and no candidate is always the first or the last of a round.
 */

export interface Candidate<Result> {
  readonly name: string;
  /** @param round counts from 1 */
  readonly run: (round: number) => Promise<Result>;
}

/** @returns the results of each candidate by name, one for each round, in order */
export async function interleave<Result>(
  candidates: readonly Candidate<Result>[],
  rounds: number,
  onResult: (name: string, result: Result, round: number) => void = () => undefined,
): Promise<ReadonlyMap<string, readonly Result[]>> {
  const results = new Map<string, Result[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, run } of round % 2 === 1 ? candidates : candidates.toReversed()) {
      const result = await run(round);
      results.get(name)?.push(result);
      onResult(name, result, round);
    }
  }
  return results;
}
