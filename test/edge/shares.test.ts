import { expect, it } from 'vitest';

import { sessionShares } from '../../exporter/edge/stages/shares.ts';

it("of memory a session has what was allocated there last, and nobody what no session's creation has", () => {
  const memory = Uint8Array.from({ length: 64 }, (_, i) => i);
  const blocks = [
    { address: 0, size: 8 },
    { address: 8, size: 12 },
    { address: 24, size: 16 },
    { address: 32, size: 8 },
    { address: 48, size: 8 },
  ];
  const created = { one: { first: 1, end: 3 }, other: { first: 3, end: 4 }, none: { first: 4, end: 4 } };
  const bytes = (...from: readonly number[]) => from.flatMap((at) => [...memory.subarray(at, at + 8)]);
  const shares = sessionShares({ memory }, { allocations: () => blocks, created } as never);
  expect(Object.entries(shares).map(([name, share]) => [name, [...share]])).toEqual([
    ['one', bytes(8, 16, 24)],
    ['other', bytes(32)],
    ['none', []],
  ]);
});
