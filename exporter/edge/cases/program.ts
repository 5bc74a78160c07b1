/**
 * The proof of a compiled model: beside stock ONNX Runtime on made-up inputs and real samples. Its sums are added in another order, so
 * the bits are others; what is held is how far, and that no sample gets another class.
 */

import type { Runtime } from '../bundle.ts';
import type { SampleArray } from '../../store/samples.ts';
import type { ProgramSession, Session, Tensor, Tensors } from '../runtime/index.ts';
import { anyWay, makeFeeds } from './feeds.ts';
import type { Fill } from './feeds.ts';
import { checkSamples, sampleBatches, sampleFeeds } from './samples.ts';

/** Of the largest number of an answer. */
export const programTolerance = 1e-5;

/** From here on a sum in another order may overflow where stock's does not. */
const nearOverflow = 1e30;

const batchSizes = [1, 2, 3, 7, 16, 0];
const fills: readonly Fill[] = ['image', 'unit', 'special'];

export interface Proven {
  readonly runtime: Runtime;
  readonly stock: Session;
  readonly program: ProgramSession;
  readonly samples: SampleArray | undefined;
}

/** @returns how many cases agreed, or in one line what the first one that did not had otherwise */
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
      feeds: makeFeeds(runtime, inputs, { ...anyWay, all }, fill),
    })),
  );
  for (const { label, feeds, isReal } of [...real, ...madeUp]) {
    const [expected, got] = [stock, program].map((session) => outcomeOf(runtime, session, feeds));
    const difference = differenceOf(expected ?? '', got ?? '', isReal);
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
    const told = (outcome: Outcome): string => (typeof outcome === 'string' ? outcome : 'an answer');
    return told(expected) === told(got) ? undefined : `expected ${told(expected)}, got ${told(got)}`;
  }
  for (const [name, tensor] of Object.entries(expected)) {
    const other = got[name];
    if (!other) return `output ${name}: expected a tensor, got none`;
    const difference = tensorDifference(tensor, other) ?? (isReal ? classDifference(tensor, other) : undefined);
    if (difference !== undefined) return `output ${name}: ${difference}`;
  }
  return undefined;
}

function tensorDifference(expected: Tensor, got: Tensor): string | undefined {
  const [want, have] = [expected, got].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
  if (want !== have) return `expected ${want ?? ''}, got ${have ?? ''}`;
  const [a, b] = [numbersOf(expected), numbersOf(got)];
  const isExact = !expected.dtype.startsWith('float');
  const largest = a.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
  const allowed = isExact ? 0 : programTolerance * largest;
  const at = a.findIndex((x, i) => !agree(x, b[i] ?? NaN, allowed));
  return at < 0 ? undefined : `expected ${a[at] ?? NaN} at ${at}, got ${b[at] ?? NaN}`;
}

/** Numbers that are none agree with each other, and with what is about to become one. */
function agree(x: number, y: number, allowed: number): boolean {
  if (Number.isFinite(x) && Number.isFinite(y)) return Math.abs(x - y) <= allowed;
  const finite = [x, y].filter(Number.isFinite);
  return finite.every((number) => Math.abs(number) > nearOverflow);
}

/** Of answers `[N, K]`, the place of each row's largest. */
function classDifference(expected: Tensor, got: Tensor): string | undefined {
  const [N = 0, K = 0] = expected.shape;
  if (expected.shape.length !== 2 || K < 2) return undefined;
  const [a, b] = [numbersOf(expected), numbersOf(got)];
  for (let row = 0; row < N; row++) {
    const [x, y] = [a, b].map((numbers) => {
      const values = numbers.slice(row * K, (row + 1) * K);
      return values.indexOf(Math.max(...values));
    });
    if (x !== y) return `expected class ${x ?? -1} for sample ${row} of the batch, got ${y ?? -1}`;
  }
  return undefined;
}

const numbersOf = ({ data }: Tensor): Float64Array => Float64Array.from<number | bigint>(data as Float32Array, Number);
