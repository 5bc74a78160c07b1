import { describe, test } from 'vitest';
import { expectClose } from '../reference/close.ts';
import { optimizerRuns, runEmitted, runPublished } from '../reference/optimizer-runs.ts';
import { runGraph } from './run-graph.ts';

describe('twenty steps of each optimizer in ONNX Runtime equal its published update', () => {
  test.each(optimizerRuns)('$optimizer, weight decay $weightDecay', async (row) => {
    const [actual, expected] = [await runEmitted(row, runGraph), runPublished(row)];
    for (const [name, theta] of expected) expectClose(name, actual.get(name) ?? theta, theta, 1e-6);
  });
});
