/**
 * Trains one dense layer on the same data with the same engine: logistic or linear regression, which a network should
 * beat.
 */
import type { Backend } from '../backend/index.ts';
import { batchesOf, classesOf, createRandom, type Dataset, type LoadedData } from '../data/index.ts';
import { elementCount } from '../arrays/index.ts';
import { releasing } from '../files/index.ts';
import {
  dense,
  encodedShape,
  flatten,
  layerTensorsOf,
  type Network,
  type Plan,
  planNetwork,
} from '../network/index.ts';
import { objectiveRuleOf, reportOn, riskOn } from '../objective/index.ts';
import { createEvaluator, DivergenceError, initializeTensors, type State, train } from '../trainer/index.ts';
import type { RunConfig } from './snapshot-file.ts';

/** The maximum number of weights; a larger layer takes as long to train as the network itself. */
const maxWeights = 2 ** 18;
const maxSteps = 1500;
/** The minimum number of steps: even where the network trains for fewer, the linear model is trained properly. */
const minSteps = 300;
/** The distance that Adam can move a weight in all steps together, at half of the rate on average. */
const maxTravel = 15;

/** The result of a model on the test part. */
export interface TestScores {
  /** The value of the objective's score. */
  readonly score: number;
  /** The value of the rule's risk. */
  readonly risk: number;
}

/**
 * Returns the layer's result on the test part. It learns from the training part, starting at zero weights, for as many
 * steps as the network (within limits). The best epoch is kept where there is a validation part. Undefined where the
 * layer would be too large, where there is no test part, and where training diverges.
 */
export async function linearScore(
  { bins: _, edges: __, ...network }: Network,
  data: LoadedData,
  { objective, seed, batchSize, bnMomentum, ...length }: RunConfig,
  backend: Backend,
): Promise<TestScores | undefined> {
  const rule = objectiveRuleOf(objective);
  const outputs = rule.outputs(classesOf(data.train).length);
  if (elementCount(encodedShape(network)) * outputs > maxWeights || data.test.count === 0) return undefined;
  const layers = [...(network.inputShape.length > 1 ? [flatten()] : []), dense(outputs)];
  const plan = planNetwork({ ...network, layers });
  const perEpoch = batchesOf(data.train.count, batchSize);
  const steps = Math.min(Math.max(length.steps ?? length.epochs * perEpoch, minSteps), maxSteps);
  const epochs = Math.ceil(steps / perEpoch);
  const settings = { optimizer: 'adam', schedule: 'cosine', learningRate: maxTravel / steps } as const;
  try {
    const config = { ...settings, objective, seed, batchSize, bnMomentum, epochs, steps };
    const start = { tensors: zeroWeights(plan, data.train, seed) };
    const { tensors } = await train(plan, data, config, backend, {}, start);
    await using evaluator = releasing(await createEvaluator(backend, plan));
    const answers = await evaluator.logits(tensors, data.test);
    const { metrics } = reportOn(data.test, answers, objective);
    return { score: metrics[rule.score.name] ?? NaN, risk: riskOn(data.test, answers, objective) };
  } catch (error) {
    if (error instanceof DivergenceError) return undefined;
    throw error;
  }
}

/**
 * Initializes the weights to zero. The loss has a single minimum, so equal weights do no harm, while random ones would
 * have to be unlearnt.
 */
function zeroWeights(plan: Plan, samples: Dataset, seed: number): State {
  const fresh = initializeTensors(plan, createRandom(seed), samples);
  const zeros = layerTensorsOf(plan).map(({ name, shape }) => {
    const data = new Float32Array(elementCount(shape));
    return [name, { dtype: 'float32', shape, data }] as const;
  });
  return new Map([...fresh, ...zeros]);
}
