/** Compares the exported file, in ONNX Runtime, with the training graph in inference mode. */
import { at } from '../../training/arrays/index.ts';
import type { Backend } from '../../training/backend/index.ts';
import type { Dataset, Samples } from '../../training/data/index.ts';
import { releasing, UserError } from '../../training/files/index.ts';
import { objectiveOf, type TrainedModel } from '../../training/checkpoint/index.ts';
import { type Agreement, objectiveRuleFor } from '../../training/objective/index.ts';
import { runOverSamples } from '../../training/trainer/index.ts';
import type { ModelCard } from '../store/card.ts';
import { inputNameOf, outputNameOf } from './inference-graph.ts';

/** The largest difference that an export may have, by the measure of its objective. */
const tolerance = 1e-4;

export type Verification = NonNullable<ModelCard['verification']>;

/** Returns the exported file's answers to the samples, row-major. */
export async function answersOfFile(
  backend: Backend,
  model: TrainedModel,
  file: Uint8Array,
  samples: Samples,
): Promise<Float32Array> {
  await using session = releasing(await backend.loadSession(file));
  return await runOverSamples(session, samples, { input: inputNameOf(model), output: outputNameOf(model) });
}

/**
 * @param output of the training graph, row-major `[count, outputs]`
 * @param answers of the exported file
 * @throws UserError for the first sample that is decided otherwise, or whose answer differs by more than the tolerance
 */
export function verifyExport(
  model: TrainedModel,
  output: Float32Array,
  answers: Float32Array,
  dataset: Dataset,
): Verification {
  const { count } = dataset;
  const { answerOf, agreement } = objectiveRuleFor(objectiveOf(model), dataset);
  return compareOutputs(answerOf(output, count), answers, count, agreement);
}

/**
 * Compares the answers sample by sample.
 *
 * @param expected `[count, outputs]`
 * @param got `[count, outputs]`
 * @throws UserError for the first sample that is decided otherwise, or whose answer differs by more than the tolerance
 */
export function compareOutputs(
  expected: Float32Array,
  got: Float32Array,
  count: number,
  { answerName, errorKind, exactPart }: Agreement,
): Verification {
  if (got.length !== expected.length)
    throw new UserError(`export: expected ${expected.length} numbers, got ${got.length}`);
  const outputs = expected.length / count;
  const wrong = expected.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new UserError(
      `export: sample ${Math.floor(wrong / outputs)}: expected finite numbers of the network, got ${at(expected, wrong)}`,
    );
  }
  const limit = errorKind === 'absolute' ? tolerance : tolerance * largestOf(expected);
  let largestDifference = 0;
  for (let sample = 0; sample < count; sample++) {
    const [start, end] = [sample * outputs, (sample + 1) * outputs];
    const [a, b] = [expected.subarray(start, end), got.subarray(start, end)];
    if (exactPart && exactPart(a) !== exactPart(b))
      throw new UserError(`export: sample ${sample}: expected ${exactPart(a)}, got ${exactPart(b)}`);
    const difference = largestOf(a.map((value, k) => value - at(b, k)));
    if (!(difference <= limit)) {
      throw new UserError(
        `export: sample ${sample}: expected ${answerName} within ${limit}, got a difference of ${difference}`,
      );
    }
    largestDifference = Math.max(largestDifference, difference);
  }
  return { samples: count, largestDifference };
}

const largestOf = (values: Float32Array): number =>
  values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
