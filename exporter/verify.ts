/** Compares the exported file, in ONNX Runtime, with the training graph in inference mode. */
import type { Backend } from '../training/backend/index.ts';
import type { ClassificationDataset } from '../training/data/index.ts';
import { UserError } from '../training/errors.ts';
import type { TrainedModel } from '../training/model.ts';
import { createEvaluator } from '../training/trainer/index.ts';
import { inputNameOf, outputName } from './graph.ts';
import { runOverDataset } from './run-model.ts';

/** The largest difference of a logit that an export may have. */
export const tolerance = 1e-4;

export interface Verification {
  readonly samples: number;
  readonly largestDifference: number;
}

/** @throws UserError for the first sample whose class differs or whose logits differ by more than the tolerance */
export async function verifyExport(
  backend: Backend,
  model: TrainedModel,
  file: Uint8Array,
  dataset: ClassificationDataset,
): Promise<Verification> {
  const evaluator = await createEvaluator(backend, model.plan);
  const expected = await evaluator.logits(model.tensors, dataset);
  await evaluator.release();
  const session = await backend.loadSession(file);
  const got = await runOverDataset(session, dataset, inputNameOf(model), outputName);
  await session.release();
  return compareLogits(expected, got, dataset.count);
}

/**
 * @param expected `[count, classes]`
 * @param got the same
 */
export function compareLogits(expected: Float32Array, got: Float32Array, count: number): Verification {
  if (got.length !== expected.length)
    throw new UserError(`export: expected ${expected.length} logits, got ${got.length}`);
  const classes = expected.length / count;
  let largestDifference = 0;
  for (let sample = 0; sample < count; sample++) {
    const [a, b] = [expected, got].map((logits) => logits.subarray(sample * classes, (sample + 1) * classes));
    if (!a || !b) continue;
    const difference = a.reduce((largest, value, k) => Math.max(largest, Math.abs(value - (b[k] ?? NaN))), 0);
    if (argmax(a) !== argmax(b))
      throw new UserError(`export: sample ${sample}: expected class ${argmax(a)}, got ${argmax(b)}`);
    if (!(difference <= tolerance)) {
      throw new UserError(
        `export: sample ${sample}: expected logits within ${tolerance}, got a difference of ${difference}`,
      );
    }
    largestDifference = Math.max(largestDifference, difference);
  }
  return { samples: count, largestDifference };
}

export function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > (values[best] ?? -Infinity) ? i : best), 0);
}
