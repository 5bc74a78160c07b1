/** Compares the exported file, in ONNX Runtime, with the training graph in inference mode. */
import type { Backend } from '../../training/backend/index.ts';
import type { Dataset } from '../../training/data/index.ts';
import { UserError } from '../../training/files/errors.ts';
import type { TrainedModel } from '../../training/checkpoint/model.ts';
import { classLogits } from '../../training/objective/index.ts';
import { createEvaluator } from '../../training/trainer/index.ts';
import { inputNameOf, outputNameOf } from './graph.ts';
import { runOverDataset } from './run-model.ts';

/** The largest difference that an export may have: of a logit, or of a number in parts of the largest. */
export const tolerance = 1e-4;

export interface Verification {
  readonly samples: number;
  readonly largestDifference: number;
}

/** @throws UserError for the first sample whose class differs or whose output differs by more than the tolerance */
export async function verifyExport(
  backend: Backend,
  model: TrainedModel,
  file: Uint8Array,
  dataset: Dataset,
): Promise<Verification> {
  const { count, task } = dataset;
  if (count === 0) throw new UserError('export: expected test samples to verify the exported file with, got none');
  const evaluator = await createEvaluator(backend, model.plan);
  const output = await evaluator.logits(model.tensors, dataset);
  await evaluator.release();
  const session = await backend.loadSession(file);
  const got = await runOverDataset(session, dataset, inputNameOf(model), outputNameOf(model));
  await session.release();
  const expected = task === 'classification' ? Float32Array.from(classLogits(output, count).data) : output;
  return compareOutputs(expected, got, count, task);
}

/**
 * @param expected `[count, outputs]`
 * @param got the same
 */
export function compareOutputs(
  expected: Float32Array,
  got: Float32Array,
  count: number,
  task: Dataset['task'],
): Verification {
  if (got.length !== expected.length)
    throw new UserError(`export: expected ${expected.length} numbers, got ${got.length}`);
  const outputs = expected.length / count;
  const limit = task === 'classification' ? tolerance : tolerance * largestOf(expected);
  let largestDifference = 0;
  for (let sample = 0; sample < count; sample++) {
    const [a, b] = [expected, got].map((numbers) => numbers.subarray(sample * outputs, (sample + 1) * outputs));
    if (!a || !b) continue;
    if (task === 'classification' && argmax(a) !== argmax(b))
      throw new UserError(`export: sample ${sample}: expected class ${argmax(a)}, got ${argmax(b)}`);
    const difference = largestOf(a.map((value, k) => value - (b[k] ?? NaN)));
    if (!(difference <= limit)) {
      const what = task === 'classification' ? 'logits' : 'a number';
      throw new UserError(
        `export: sample ${sample}: expected ${what} within ${limit}, got a difference of ${difference}`,
      );
    }
    largestDifference = Math.max(largestDifference, difference);
  }
  return { samples: count, largestDifference };
}

const largestOf = (values: Float32Array): number =>
  values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

const argmax = (values: Float32Array): number =>
  values.reduce((best, value, i) => (value > (values[best] ?? -Infinity) ? i : best), 0);
