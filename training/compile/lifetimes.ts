/**
 * Places things in one memory: two share bytes where one is needed for the last time before the other is needed for the
 * first time.
 */

export interface Lifetime<Key> {
  readonly key: Key;
  readonly bytes: number;
  /** The first and the last step that needs it. */
  readonly from: number;
  readonly to: number;
}

export interface Packed<Key> {
  readonly addresses: ReadonlyMap<Key, number>;
  /** The first free byte. */
  readonly end: number;
}

/** Every address is a multiple of a cache line, in bytes. */
export const line = 64;
export const aligned = (bytes: number): number => line * Math.ceil(bytes / line);

/** Places the largest first, each into the lowest gap between those whose lifetimes overlap with its own. */
export function packed<Key>(lifetimes: readonly Lifetime<Key>[], start: number): Packed<Key> {
  const addresses = new Map<Key, number>();
  const placed: { readonly from: number; readonly to: number; readonly start: number; readonly end: number }[] = [];
  for (const { key, bytes, from, to } of lifetimes.toSorted((a, b) => b.bytes - a.bytes)) {
    const beside = placed.filter((other) => other.from <= to && from <= other.to).sort((a, b) => a.start - b.start);
    const size = aligned(bytes);
    let at = start;
    for (const other of beside) {
      if (at + size <= other.start) break;
      at = Math.max(at, other.end);
    }
    placed.push({ from, to, start: at, end: at + size });
    addresses.set(key, at);
  }
  return { addresses, end: Math.max(start, ...placed.map(({ end }) => end)) };
}
