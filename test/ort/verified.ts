import { answersOfFile, verifyExport } from '../../exporter/model/verify.ts';
import type { Backend } from '../../training/backend/index.ts';
import type { TrainedModel } from '../../training/checkpoint/model.ts';
import type { Dataset } from '../../training/data/index.ts';
import { createEvaluator } from '../../training/trainer/index.ts';

/** Compares the file with the model's training graph on these samples. */
export async function verified(backend: Backend, model: TrainedModel, file: Uint8Array, dataset: Dataset) {
  const evaluator = await createEvaluator(backend, model.plan);
  const output = await evaluator.logits(model.tensors, dataset);
  await evaluator.release();
  return verifyExport(model, output, await answersOfFile(backend, model, file, dataset), dataset);
}
