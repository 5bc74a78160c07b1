/** Changes of a model's answers are measured whatever the answers are. */
import { describe, expect, it } from 'vitest';
import { changesOf } from '../../../exporter/recalibration/answers.ts';
import type { Dataset } from '../../../training/data/index.ts';

const samples: Dataset = {
  task: 'classification',
  inputs: new Float32Array(4),
  inputShape: [1],
  count: 4,
  labels: Int32Array.of(0, 1, 0, 1),
  classes: ['no', 'yes'],
};

describe('shares of classes', () => {
  it('do not count answers that are not numbers', () => {
    const before = Float32Array.of(NaN, NaN, 1, 0, NaN, 0, 0, 1);
    const after = Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1);
    expect(changesOf(samples, before, after)).toMatchObject({
      agreement: 0.5,
      shares: { before: [0.25, 0.25], after: [0.5, 0.5] },
    });
  });
});
