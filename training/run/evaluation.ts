/** What `npm run evaluate` asks: a checkpoint's or an ONNX file's answers to a data set. */
import type { Backend } from '../backend/index.ts';
import type { Samples } from '../data/index.ts';
import { readBytes, unexpected, UserError } from '../files/index.ts';
import { modelSignature } from '../graph/index.ts';
import { loadModel } from '../checkpoint/index.ts';
import { createEvaluator, runOverSamples } from '../trainer/index.ts';

/** Logits or numbers, `[count, outputs]` row-major. */
export type Answers = Float32Array;

/** @throws UserError when the file is no checkpoint that describes its network, or does not take such samples */
export async function answersOfCheckpoint(path: string, samples: Samples, backend: Backend): Promise<Answers> {
  const { plan, tensors } = await loadModel(path);
  requireShape(path, plan.network.inputShape, samples);
  const evaluator = await createEvaluator(backend, plan);
  const answers = await evaluator.logits(tensors, samples);
  await evaluator.release();
  return answers;
}

/** @throws UserError when the file is no ONNX model from one tensor to logits, or does not take such samples */
export async function answersOfModel(path: string, samples: Samples, backend: Backend): Promise<Answers> {
  const file = await readBytes(path);
  return explained(path, async () => {
    const { inputs, outputs } = modelSignature(file);
    const [input, ...more] = inputs;
    const output = outputs.find(({ name }) => name === 'logits') ?? outputs[0];
    if (!input || !output || more.length > 0) throw unexpected(path, 'a model with one input', inputs.length);
    const [batch, ...shape] = input.shape;
    requireShape(path, shape, samples);
    const session = await backend.loadSession(file);
    const batches = typeof batch === 'number' ? { batchSize: batch, isFixed: true } : {};
    const answers = await runOverSamples(session, samples, { input: input.name, output: output.name, ...batches });
    await session.release();
    return answers;
  });
}

/** What a reader or ONNX Runtime says about a file from elsewhere, as one line that names it. */
async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    const [reason = ''] = error.message.split('\n');
    throw new UserError(`${path}: ${reason}`, { cause: error });
  }
}

/** Sizes that a file leaves open fit any. */
function requireShape(path: string, shape: readonly (number | string)[], { inputShape }: Samples): void {
  const fits =
    shape.length === inputShape.length && shape.every((size, i) => typeof size === 'string' || size === inputShape[i]);
  if (!fits)
    throw new UserError(`${path}: expected samples [${shape.join(', ')}], got [${inputShape.join(', ')}] in the data`);
}
