/**
 * Stores the answers that a network's reading is fitted to where it has learnt from all samples. They come from other
 * networks, each for samples that it has not seen. The file `out-of-fold.safetensors` lies beside the checkpoint and
 * holds its digest.
 */
import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Dataset } from '../data/index.ts';
import { readBytes, unexpected } from '../files/index.ts';
import { outputShapeOf } from '../network/index.ts';
import { readSafetensors, type Tensor, writeSafetensors } from './checkpoint.ts';
import { pickTensor, type TrainedModel } from './model.ts';

export interface OutOfFoldAnswers {
  /** The samples' targets; inputs are not stored. */
  readonly samples: Dataset;
  /** Logits or numbers, a row for each sample. */
  readonly answers: Float32Array;
}

export const outOfFoldFile = 'out-of-fold.safetensors';

const checkpointKey = 'bn_edge.checkpoint';

/**
 * Writes the answers beside a checkpoint.
 *
 * @throws UserError when the file cannot be written
 */
export async function saveOutOfFold(checkpoint: string, { samples, answers }: OutOfFoldAnswers): Promise<void> {
  const { count } = samples;
  const tensors = new Map<string, Tensor>([
    ['answers', { dtype: 'F32', shape: [count, answers.length / count], data: answers }],
    [
      'targets',
      samples.task === 'regression'
        ? { dtype: 'F32', shape: [count], data: samples.values }
        : { dtype: 'I32', shape: [count], data: samples.labels },
    ],
  ]);
  const path = join(dirname(checkpoint), outOfFoldFile);
  await writeSafetensors(path, tensors, { [checkpointKey]: await digestOfFile(checkpoint) });
}

/**
 * Reads the answers beside a checkpoint.
 *
 * @returns undefined where there are none, and where they belong to another checkpoint
 * @throws UserError for a file that is damaged, or does not fit the model
 */
export async function outOfFoldOf(
  checkpoint: string,
  { plan, classes }: Pick<TrainedModel, 'plan' | 'classes'>,
): Promise<OutOfFoldAnswers | undefined> {
  const path = join(dirname(checkpoint), outOfFoldFile);
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = await readSafetensors(path);
  if (metadata[checkpointKey] !== (await digestOfFile(checkpoint))) return undefined;
  const [count = 0] = tensors.get('targets')?.shape ?? [];
  const { data: answers } = pickTensor(path, 'answers', [count, ...outputShapeOf(plan)], tensors.get('answers'));
  const inputs = { inputs: new Float32Array(), inputShape: [0], count };
  if (classes.length === 0) {
    const { data: values } = pickTensor(path, 'targets', [count], tensors.get('targets'));
    return { samples: { task: 'regression', ...inputs, values }, answers };
  }
  const targets = tensors.get('targets');
  if (targets?.dtype !== 'I32') throw unexpected(`${path}: targets`, 'classes of I32', targets?.dtype ?? 'none');
  return { samples: { task: 'classification', ...inputs, labels: targets.data, classes }, answers };
}

const digestOfFile = async (path: string): Promise<string> => hash('sha256', await readBytes(path));
