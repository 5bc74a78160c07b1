import { describe, test } from 'vitest';
import { expectClose } from '../../reference/close.ts';
import { evaluate } from '../../reference/evaluate.ts';
import { optimizerRuns, runEmitted, runPublished } from '../../reference/optimizer-runs.ts';

describe('twenty steps of each optimizer, evaluated in float64, equal its published update', () => {
  test.each(optimizerRuns)('$optimizer, weight decay $weightDecay', async (row) => {
    const [actual, expected] = [await runEmitted(row, evaluate), runPublished(row)];
    for (const [name, theta] of expected) expectClose(name, actual.get(name) ?? theta, theta, 1e-6);
  });
});
