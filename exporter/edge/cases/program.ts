/**
 * Proves a compiled model by comparing it with stock ONNX Runtime on made-up inputs and on real samples. Its sums are
 * added in another order, so that its answers are near stock's and not the same.
 */

import type { Runtime } from '../bundle.ts';
import type { SampleArray } from '../../store/samples.ts';
import type { ProgramSession, Session, Tensor, Tensors } from '../runtime/index.ts';
import { nothingPinned, makeFeeds } from './feeds.ts';
import type { Fill } from './feeds.ts';
import { nearDifference } from './nearness.ts';
import { checkSamples, sampleBatches, sampleFeeds } from './samples.ts';

const batchSizes = [1, 2, 3, 7, 16, 0];
const fills: readonly Fill[] = ['pixels', 'unit', 'special'];

export interface Proven {
  readonly runtime: Runtime;
  readonly stock: Session;
  readonly program: ProgramSession;
  readonly samples: SampleArray | undefined;
}

/** @returns the number of cases that agreed, or one line that describes the first difference */
export function proveProgram({ runtime, stock, program, samples }: Proven): number | string {
  const { inputs } = stock;
  if (samples) checkSamples(samples, inputs);
  const real = samples
    ? sampleBatches(samples, inputs).map((batch) => ({
        label: `samples ${batch.start} to ${batch.end - 1}`,
        isReal: true,
        feeds: sampleFeeds(runtime, samples, inputs, batch),
      }))
    : [];
  const madeUp = batchSizes.flatMap((all) =>
    fills.map((fill) => ({
      label: `${fill} input, batch of ${all}`,
      isReal: false,
      feeds: makeFeeds(runtime, inputs, { ...nothingPinned, all }, fill),
    })),
  );
  for (const { label, feeds, isReal } of [...real, ...madeUp]) {
    const expected = outcomeOf(runtime, stock, feeds);
    const difference = differenceOf(expected, outcomeOf(runtime, program, feeds), isReal);
    if (difference !== undefined) return `${label}: ${difference}`;
  }
  return real.length + madeUp.length;
}

type Outcome = Readonly<Record<string, Tensor>> | string;

function outcomeOf(runtime: Runtime, session: Session | ProgramSession, feeds: Tensors): Outcome {
  try {
    return session.run(feeds);
  } catch (error) {
    if (error instanceof runtime.InferenceError) return 'an error';
    throw error;
  }
}

function differenceOf(expected: Outcome, got: Outcome, isReal: boolean): string | undefined {
  if (typeof expected === 'string' || typeof got === 'string') {
    const describe = (outcome: Outcome): string => (typeof outcome === 'string' ? outcome : 'an answer');
    return describe(expected) === describe(got) ? undefined : `expected ${describe(expected)}, got ${describe(got)}`;
  }
  for (const [name, tensor] of Object.entries(expected)) {
    const other = got[name];
    if (!other) return `output ${name}: expected a tensor, got none`;
    const difference = nearDifference(tensor, other, isReal);
    if (difference !== undefined) return `output ${name}: ${difference}`;
  }
  return undefined;
}
