/** Where values lie between stages: two share memory where one is read for the last time before the other is written. */

export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  /** The first and the last stage that needs it. */
  readonly from: number;
  readonly to: number;
}

const line = 64;
const aligned = (bytes: number): number => line * Math.ceil(bytes / line);

/** The largest first, each into the lowest gap among those that live while it does. */
export function addressesOf(lifetimes: readonly Lifetime[], start: number) {
  const addresses = new Map<string, number>();
  const placed: (Lifetime & { readonly start: number; readonly end: number })[] = [];
  for (const lifetime of lifetimes.toSorted((a, b) => b.bytes - a.bytes)) {
    const beside = placed
      .filter(({ from, to }) => from <= lifetime.to && lifetime.from <= to)
      .toSorted((a, b) => a.start - b.start);
    // A vector may be read past the end by less than one.
    const size = aligned(lifetime.bytes + 16);
    let at = start;
    for (const { start: taken, end } of beside) {
      if (at + size <= taken) break;
      at = Math.max(at, end);
    }
    placed.push({ ...lifetime, start: at, end: at + size });
    addresses.set(lifetime.name, at);
  }
  return { addresses, end: Math.max(start, ...placed.map(({ end }) => end)) };
}
