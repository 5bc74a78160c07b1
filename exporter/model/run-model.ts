/** Runs an ONNX file with one input and one output of interest over a data set. */
import type { Session } from '../../training/backend/index.ts';
import type { Samples } from '../../training/data/index.ts';
import { batchesOf } from '../../training/trainer/index.ts';

/** @returns `[count, ..]`, row-major */
export async function runOverDataset(
  session: Session,
  dataset: Samples,
  input: string,
  output: string,
  batchSize = 500,
): Promise<Float32Array> {
  const parts: number[] = [];
  for (const { x } of batchesOf(dataset, batchSize)) {
    const results = await session.run({ [input]: x });
    const data = results[output]?.data;
    if (!(data instanceof Float32Array)) throw new Error(`internal: expected ${output} to be float32`);
    parts.push(...data);
  }
  return Float32Array.from(parts);
}
