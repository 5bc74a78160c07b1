/** Notices a change in what runs when the example room is loaded, which the other file has loaded before. */
import { expect, it } from 'vitest';
import { limit } from './room.ts';

it('notices a limit', () => {
  expect(limit).toBe(4);
});
