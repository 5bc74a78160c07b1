import { describe, expect, test } from 'vitest';
import { rateFactor, type ScheduleName } from '../../../training/optimizer/index.ts';

interface Row {
  readonly schedule: ScheduleName;
  readonly progress: number;
  readonly factor: number;
  readonly warmUp?: number;
}

const rows: readonly Row[] = [
  { schedule: 'constant', progress: 0, factor: 1 },
  { schedule: 'constant', progress: 0.99, factor: 1 },
  { schedule: 'step', progress: 0.49, factor: 1 },
  { schedule: 'step', progress: 0.5, factor: 0.1 },
  { schedule: 'step', progress: 0.75, factor: 0.01 },
  { schedule: 'cosine', progress: 0, factor: 1 },
  { schedule: 'cosine', progress: 0.5, factor: 0.5 },
  { schedule: 'cosine', progress: 1 / 3, factor: 0.75 },
  { schedule: 'one-cycle', progress: 0, factor: 0.04 },
  { schedule: 'one-cycle', progress: 0.15, factor: 0.52 },
  { schedule: 'one-cycle', progress: 0.3, factor: 1 },
  { schedule: 'one-cycle', progress: 0.65, factor: 0.500002 },
  { schedule: 'one-cycle', progress: 0.05, factor: 0.52, warmUp: 0.1 },
  { schedule: 'cosine', progress: 0, factor: 0.04, warmUp: 0.2 },
  { schedule: 'cosine', progress: 0.1, factor: 0.52, warmUp: 0.2 },
  { schedule: 'cosine', progress: 0.2, factor: 1, warmUp: 0.2 },
  { schedule: 'cosine', progress: 0.6, factor: 0.5, warmUp: 0.2 },
];

describe('the learning rate', () => {
  test.each(rows)('$schedule is $factor of the highest after $progress of all steps', (row) => {
    expect(rateFactor(row.schedule, row.progress, row.warmUp)).toBeCloseTo(row.factor, 12);
  });

  test('one-cycle ends at 1/250,000 of the highest', () => {
    expect(rateFactor('one-cycle', 1 - 1e-9)).toBeCloseTo(4e-6, 12);
  });
});
