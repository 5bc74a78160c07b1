/** The training page's engine divides its time between training, looks and validation. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { throttled, Stride } from '../../../worker/page/train/engine/pacing.ts';

describe('what has a ration of the time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const acts = (lasts: number) => {
    const act = vi.fn(() => {
      vi.advanceTimersByTime(lasts);
    });
    return { act, ration: throttled(act, 30, [40, 1000]) };
  };

  it.each([
    ['one part in thirty of the time', 10, 300],
    ['no less than its shortest rest', 1, 40],
    ['no more than its longest rest', 100, 1000],
  ])('takes %s, as it lasts %d ms', (_, lasts, rest) => {
    const { act, ration } = acts(lasts);
    ration.now();
    vi.advanceTimersByTime(rest - lasts - 1);
    ration.ifDue(false);
    expect(act).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    ration.ifDue(false);
    expect(act).toHaveBeenCalledTimes(2);
  });

  it('does not spare where there is nothing else to do', () => {
    const { act, ration } = acts(10);
    ration.now();
    vi.advanceTimersByTime(29);
    ration.ifDue(true);
    expect(act).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    ration.ifDue(true);
    expect(act).toHaveBeenCalledTimes(2);
  });
});

describe('the steps of a call', () => {
  it('begin with one, and are as many as last so long, up to the most', () => {
    const stride = new Stride(40, 64);
    expect(stride.steps).toBe(1);
    stride.note(1, 4);
    expect(stride.steps).toBe(10);
    stride.note(10, 1);
    expect(stride.steps).toBe(64);
  });

  it('hardly become fewer by one call that others have held up', () => {
    const stride = new Stride(40, 64);
    stride.note(1, 4);
    stride.note(10, 400);
    expect(stride.steps).toBe(9);
    for (let i = 0; i < 30; i++) stride.note(1, 40);
    expect(stride.steps).toBe(1);
  });
});
