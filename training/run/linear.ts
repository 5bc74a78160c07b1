/** What the same engine makes of the data with one dense layer: logistic or linear regression, which a network should beat. */
import type { Backend } from '../backend/index.ts';
import { classesOf, type LoadedData } from '../data/index.ts';
import { elementCount, releasing } from '../files/index.ts';
import { dense, encodedShape, flatten, type Network, planNetwork } from '../network/index.ts';
import { objectiveRuleOf, reportOn } from '../objective/index.ts';
import { createEvaluator, DivergenceError, train } from '../trainer/index.ts';
import type { RunConfig } from './snapshot-file.ts';

/** Of numbers in the layer; larger ones take as long as the network itself. */
const mostWeights = 2 ** 18;
const mostSteps = 1500;
const learningRate = 0.01;

/**
 * The objective's score on the test part: learnt from the training part for no more steps than the network, the best epoch kept where
 * there is a validation part. Undefined where the layer would be too large, where nothing is tested, and where it diverges.
 */
export async function linearScore(
  { bins: _, edges: __, ...network }: Network,
  data: LoadedData,
  { objective, seed, batchSize, bnMomentum, ...length }: RunConfig,
  backend: Backend,
): Promise<number | undefined> {
  const rule = objectiveRuleOf(objective);
  const outputs = rule.outputs(classesOf(data.train).length);
  if (elementCount(encodedShape(network)) * outputs > mostWeights || data.test.count === 0) return undefined;
  const layers = [...(network.inputShape.length > 1 ? [flatten()] : []), dense(outputs)];
  const plan = planNetwork({ ...network, layers });
  const perEpoch = Math.floor(data.train.count / batchSize);
  const steps = Math.min(length.steps ?? length.epochs * perEpoch, mostSteps);
  const epochs = Math.ceil(steps / perEpoch);
  const usual = { optimizer: 'adam', schedule: 'cosine', learningRate } as const;
  try {
    const config = { ...usual, objective, seed, batchSize, bnMomentum, epochs, steps };
    const { tensors } = await train(plan, data, config, backend);
    await using evaluator = releasing(await createEvaluator(backend, plan));
    const answers = await evaluator.logits(tensors, data.test);
    return reportOn(data.test, answers, objective).metrics[rule.score.name];
  } catch (error) {
    if (error instanceof DivergenceError) return undefined;
    throw error;
  }
}
