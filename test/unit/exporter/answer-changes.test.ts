/** Changes of a model's answers are measured whatever the answers are. */
import { describe, expect, it } from 'vitest';
import { changesOf, skewedClasses } from '../../../exporter/recalibration/answers.ts';
import type { Dataset } from '../../../training/data/index.ts';
import { expectAllClose } from '../../reference/close.ts';

const samples: Dataset = {
  task: 'classification',
  inputs: new Float32Array(4),
  inputShape: [1],
  count: 4,
  labels: Int32Array.of(0, 1, 0, 1),
  classes: ['no', 'yes'],
};

describe('shares of classes', () => {
  it('are those of training where a rare class is never the most probable one, which is no objection', () => {
    const rare = { ...samples, count: 200, labels: new Int32Array(200), inputs: new Float32Array(200) };
    const logits = Float32Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? Math.log(0.82) : Math.log(0.18)));
    const changes = changesOf(rare, logits, logits);
    expect(skewedClasses(changes, 200, rare.classes, [0.82, 0.18])).toBeUndefined();
    expect(skewedClasses(changes, 200, rare.classes, [0.5, 0.5])).toBe(
      'expected about as much of each class as in training, got 82.00 % "no" in place of 50.00 %',
    );
  });

  it('are those of other classes where an undecided model gives one more often than it occurs in training', () => {
    const many = { ...samples, count: 200, labels: new Int32Array(200), inputs: new Float32Array(200) };
    // Three in four answers are "no", all with a probability of 0.6.
    const logits = Float32Array.from({ length: 400 }, (_, i) => (i % 2 === (i % 8 < 6 ? 0 : 1) ? Math.log(1.5) : 0));
    const changes = changesOf(many, logits, logits);
    if (changes.kind !== 'classes') throw new Error('expected classes');
    expectAllClose('shares', changes.shares.after, [0.55, 0.45], { atol: 1e-6 });
    expect(changes.answers.after).toEqual([0.75, 0.25]);
    expect(skewedClasses(changes, 200, many.classes, [0.5, 0.5])).toBe(
      'expected about as much of each class as in training, got 75.00 % "no" in place of 50.00 %',
    );
    expect(skewedClasses(changes, 200, many.classes, [0.55, 0.45])).toBeUndefined();
  });

  it('do not count answers that are not numbers', () => {
    const before = Float32Array.of(NaN, NaN, 1, 0, NaN, 0, 0, 1);
    const after = Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1);
    const changes = changesOf(samples, before, after);
    if (changes.kind !== 'classes') throw new Error('expected classes');
    expect(changes.agreement).toBe(0.5);
    expectAllClose('before', changes.shares.before, [0.25, 0.25], { atol: 1e-6 });
    expectAllClose('after', changes.shares.after, [0.5, 0.5], { atol: 1e-6 });
    expect(changes.answers).toEqual({ before: [0.25, 0.25], after: [0.5, 0.5] });
  });
});
