/**
 * The CPU backends pass the conformance suite through their lowering passes. WebGPU runs the same suite where there is
 * an adapter.
 */
import { format } from 'oxfmt';
import { describe, expect, test } from 'vitest';
import { nativeBackend, wasmBackend } from '../../training/backend/index.ts';
import { coverageTable } from '../backends/coverage.ts';
import { describeEpochs, describeOps, describeTraining } from '../backends/conformance.ts';
import { coverageOf, type ProviderName, providers } from '../backends/providers.ts';
import { describePublishedBatchNorm } from '../backends/published-batch-norm.ts';

const native = await nativeBackend({ threads: 1 });
const wasm = await wasmBackend();

describeOps(native, 'native');
describeOps(wasm, 'wasm');
describePublishedBatchNorm(native);
describePublishedBatchNorm(wasm);
describeTraining(wasm, native);
describeEpochs(wasm, native);

describe('what runs where', () => {
  test('is listed, with a reason for everything that does not', async () => {
    const { code } = await format('coverage.md', coverageTable());
    await expect(code).toMatchFileSnapshot('../backends/coverage.md');
  });

  test.each(Object.keys(providers) as ProviderName[])('%s runs every op at least in part, or says why not', (name) => {
    for (const [op, directions] of Object.entries(coverageOf(name))) {
      for (const [direction, { run, reasons }] of Object.entries(directions)) {
        expect(run > 0 || reasons.length > 0, `${op} ${direction}`).toBe(true);
      }
    }
  });
});
