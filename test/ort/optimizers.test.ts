import { describe, test } from 'vitest';
import { expectClose } from '../reference/close.ts';
import { optimizerRuns, runEmitted, runPublished } from '../reference/optimizer-runs.ts';
import { runGraph } from './run-graph.ts';

/**
 * The tolerance for scalars of the step that are stored as float32, such as β₂ = 0.999: each step is off by as much of its
 * length, whatever is left of a weight.
 */
const tolerance = { rtol: 2e-7, ofLargest: 8e-7 };

describe('twenty steps of each optimizer in ONNX Runtime equal its published update', () => {
  test.each(optimizerRuns)('$optimizer, weight decay $weightDecay', async (row) => {
    const [actual, expected] = [await runEmitted(row, runGraph), runPublished(row)];
    for (const [name, theta] of expected) expectClose(name, actual.get(name), theta, tolerance);
  });
});
