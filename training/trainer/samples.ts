/** Runs a session over the samples of a data set, batch by batch. */
import type { NamedTensors, Session } from '../backend/index.ts';
import type { Samples } from '../data/index.ts';
import { at, elementCount } from '../arrays/index.ts';
import { GraphError, type Tensor } from '../graph/index.ts';

/** Yields the samples in order, as float32 `x [N, ..]`. The last batch may be smaller. */
export function* batchesOf({ inputs, inputShape, count }: Samples, batchSize: number) {
  const size = elementCount(inputShape);
  for (let start = 0; start < count; start += batchSize) {
    const end = Math.min(start + batchSize, count);
    const data = Float32Array.from(inputs.subarray(start * size, end * size));
    yield {
      x: { dtype: 'float32', shape: [end - start, ...inputShape], data },
    } satisfies NamedTensors;
  }
}

export interface Ports {
  /** The names of the input that takes samples, and of the output to return. */
  readonly input: string;
  readonly output: string;
  /** All other inputs, which are the same for every batch. */
  readonly others?: NamedTensors;
  readonly batchSize?: number | undefined;
  /** Is true when the session takes no smaller batch. The last one is then filled up with zeros. */
  readonly isFixed?: boolean;
}

/**
 * Returns the output for all samples, `[count, ..]`, row-major.
 *
 * @throws GraphError for an output that is not float32, or does not have as many rows as there are samples
 */
export async function runOverSamples(
  session: Session,
  samples: Samples,
  { input, output, others = {}, batchSize = 500, isFixed = false }: Ports,
): Promise<Float32Array> {
  const { count } = samples;
  let [answers, done] = [new Float32Array(), 0];
  for (const { x } of batchesOf(samples, batchSize)) {
    const rows = at(x.shape, 0);
    const fed = isFixed ? filledUp(x, batchSize) : x;
    const data = (await session.run({ ...others, [input]: fed }))[output]?.data;
    if (!(data instanceof Float32Array)) throw new GraphError(`${output}: expected float32, got another type`);
    const width = data.length / at(fed.shape, 0);
    if (done === 0) answers = new Float32Array(count * Math.ceil(width));
    if (width * count !== answers.length) {
      throw new GraphError(`${output}: expected as many numbers for each sample, got ${data.length} for ${rows}`);
    }
    answers.set(data.subarray(0, rows * width), done * width);
    done += rows;
  }
  return answers;
}

function filledUp({ shape, data }: Tensor<'float32'>, batchSize: number): Tensor<'float32'> {
  const filled = new Float32Array((data.length / at(shape, 0)) * batchSize);
  filled.set(data);
  return { dtype: 'float32', shape: [batchSize, ...shape.slice(1)], data: filled };
}

export function floatsOf(tensors: NamedTensors, name: string): Float32Array {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`internal: expected ${name} to be float32`);
  return data;
}

/** Returns the inputs of a data set as one tensor, in the type in which they are stored. */
export function inputsTensor({ inputs, inputShape, count }: Samples): Tensor<'uint8' | 'float32'> {
  const shape = [count, ...inputShape];
  return inputs instanceof Uint8Array
    ? { dtype: 'uint8', shape, data: inputs }
    : { dtype: 'float32', shape, data: inputs };
}
