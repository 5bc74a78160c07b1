/** A command shows its stage: in a terminal as one line that fits, elsewhere as an occasional line. */
import { describe, expect, it, vi } from 'vitest';
import { binary, objectiveRuleOf } from '../../../training/objective/index.ts';
import { epochLine, progressLine } from '../../../exporter/command/terminal.ts';
import { rowsLine, rowsProgress } from '../../../exporter/command/rows-progress.ts';
import { stageLine } from '../../../exporter/command/stage.ts';

const progress = {
  epoch: 12,
  epochs: 100,
  share: 0.456,
  loss: 0.123456,
  losses: [3, 2, 1],
  best: 0.23456,
  secondsLeft: 80.2,
};

describe('the line of an epoch', () => {
  const part = { loss: 0.1234, score: 0.9876 };
  const epoch = { epoch: 12, train: part, validation: part, steps: 1, samplesPerSecond: 146_719 };
  it.each([
    [
      undefined,
      'epoch 12/100   train 0.1234  accuracy  98.76 %   validation 0.1234  accuracy  98.76 %   146,719 samples/s',
    ],
    [90, 'epoch 12/100   train 0.1234  accuracy  98.76 %   validation 0.1234  accuracy  98.76 %'],
    [73, 'epoch 12/100   train 0.1234   98.76 %   validation 0.1234   98.76 %'],
    [45, 'epoch 12/100   validation 0.1234   98.76 %'],
  ])('in %s columns says as much as fits', (width, line) => {
    const under = { epochs: 100, hasValidation: true };
    expect(epochLine(epoch, under, objectiveRuleOf(binary()).score, width).replace('12/100 ', '12/100')).toBe(line);
  });
});

describe('the line of a training', () => {
  it.each([
    [undefined, 'epoch 12/100  45 %  loss 0.1235  best 0.2346  1 min 21 s left'],
    [120, 'epoch 12/100  ███████░░░░░░░░░  45 %  loss 0.1235  best 0.2346  █▅▁  1 min 21 s left'],
    [80, 'epoch 12/100  ███████░░░░░░░░░  45 %  loss 0.1235  best 0.2346  1 min 21 s left'],
    [60, '45 %  loss 0.1235  best 0.2346  1 min 21 s left'],
    [30, '45 %  loss 0.1235'],
    [10, '45 %'],
  ])('in %s columns says as much as fits', (width, line) => {
    expect(progressLine(progress, width)).toBe(line);
  });

  it('of a fold has loss, best and time left in 80 columns', () => {
    const line = progressLine({ ...progress, of: 'fold 2/5', losses: Array<number>(20).fill(1) }, 73);
    expect(line).toBe('fold 2/5  epoch 12/100  45 %  loss 0.1235  best 0.2346  1 min 21 s left');
  });

  it('is never wider than the terminal', () => {
    for (let width = 1; width < 120; width++) {
      expect(progressLine(progress, width).length, `${width} columns`).toBeLessThanOrEqual(width);
    }
  });

  it('leaves out what is not known yet', () => {
    const line = progressLine({ ...progress, best: undefined, secondsLeft: undefined }, undefined);
    expect(line).toBe('epoch 12/100  45 %  loss 0.1235');
  });
});

describe('the line of a large table', () => {
  const answered = { rows: 1_234_567, share: 0.456, rate: 98_765.4, secondsLeft: 80.2 };

  it.each([
    [undefined, '45 %  1,234,567 rows  98,765 rows/s  1 min 21 s left'],
    [80, '███████░░░░░░░░░  45 %  1,234,567 rows  98,765 rows/s  1 min 21 s left'],
    [60, '45 %  1,234,567 rows  98,765 rows/s  1 min 21 s left'],
    [40, '45 %  1,234,567 rows  1 min 21 s left'],
    [10, '45 %'],
    [3, ''],
  ])('in %s columns says as much as fits', (width, line) => {
    expect(rowsLine(answered, width)).toBe(line);
  });

  it('tells the time that is left by what it answered itself', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const shown: string[] = [];
      const line = stageLine('evaluate', { isTTY: true, columns: 100, write: (text) => shown.push(text) });
      const progress = rowsProgress(500, line);
      progress(500, 0.5);
      vi.advanceTimersByTime(10_000);
      progress(600, 0.75);
      line[Symbol.dispose]();
      expect(shown[1]).toBe('\r\x1B[Kevaluate: ████████████░░░░  75 %  600 rows  10 rows/s  10 s left');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a stage', () => {
  it('is written over in a terminal, cut to its width, and cleared', () => {
    const written: string[] = [];
    {
      using line = stageLine('image', { isTTY: true, columns: 20, write: (text) => written.push(text) });
      line.show('optimize');
      line.show('check', 'a-model-with-a-long-name');
      line.clear();
      line.clear();
    }
    const start = '\r\x1B[K';
    expect(written).toEqual([`${start}image: optimize`, `${start}image: check a-mode`, start]);
  });

  it('is told elsewhere every ten seconds, and for how long, where it takes so long', () => {
    vi.useFakeTimers();
    try {
      const written: string[] = [];
      using line = stageLine('image', { write: (text) => written.push(text) });
      line.show('check', 'digits');
      vi.advanceTimersByTime(9000);
      expect(written).toEqual([]);
      line.show('optimize');
      vi.advanceTimersByTime(21_000);
      line.clear();
      vi.advanceTimersByTime(30_000);
      expect(written).toEqual(['image: optimize\n', 'image: optimize, for 11 s\n', 'image: optimize, for 21 s\n']);
    } finally {
      vi.useRealTimers();
    }
  });
});
