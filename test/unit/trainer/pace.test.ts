/** The number of steps in a call follows a fake clock: a call takes `cost + steps · step` milliseconds. */
import { describe, expect, it } from 'vitest';
import { Pace } from '../../../training/trainer/pace.ts';

/** Returns the number of steps in each call. */
function calls(cost: number, step: number, isFree = false, count = 30): readonly number[] {
  const pace = new Pace(isFree);
  return Array.from({ length: count }, () => {
    const { steps } = pace;
    pace.add({ steps, milliseconds: cost + steps * step });
    return steps;
  });
}

describe('the pace of calls', () => {
  it.each([
    ['a table', 3.8, 0.3],
    ['mnist-mlp in a Loop', 3.8, 2.9],
    ['pictures of three channels', 34, 181],
    ['four layers of 1,024', 95, 60],
    ['a state of 500 MB', 900, 600],
  ])('leaves a call no more than 5 %% of the time of its steps, or three seconds in all: %s', (_, cost, step) => {
    const steady = calls(cost, step).at(-1) ?? NaN;
    const share = cost / (steady * step);
    expect(share <= 0.0505 || steady * step > 2500, `${steady} steps, cost ${share}`).toBe(true);
    expect(steady * step + cost).toBeLessThan(3000 + cost + step);
  });

  it.each([
    [0.01, 256],
    [2, 100],
    [50, 4],
    [400, 1],
  ])('is steady progress where calls are free: steps of %d ms, %d a call', (step, expected) => {
    expect(calls(0, step, true).at(-1)).toBe(expected);
  });

  it('is not led astray by a longer call that took less time', () => {
    const pace = new Pace(false);
    pace.add({ steps: 16, milliseconds: 400 });
    expect(pace.steps).toBe(8);
    pace.add({ steps: 8, milliseconds: 900 });
    expect(pace.steps).toBe(2);
  });

  it('takes no notice of the short call at the end of an epoch', () => {
    const pace = new Pace(false);
    pace.add({ steps: 3, milliseconds: 9000 });
    expect(pace.steps).toBe(16);
  });
});
