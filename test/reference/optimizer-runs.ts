/** Runs twenty steps of an optimizer by the emitted graph and by the published update, from the same start. */
import { checkGraph, type Graph, graphBuilder, type Value } from '../../training/graph/index.ts';
import type { TensorSpec } from '../../training/network/index.ts';
import { type OptimizerName, optimizers } from '../../training/optimizer/index.ts';
import { slotName } from '../../training/trainer/state.ts';
import { stepScalars, type UpdateOptions } from '../../training/trainer/update-inputs.ts';
import { updateParameters } from '../../training/trainer/update-parameters.ts';
import type { Arrays } from './evaluate.ts';
import { element, type NdArray, range, scalar, zeros } from './ndarray.ts';
import { published } from './published-optimizers.ts';
import { seeded } from './random.ts';

const steps = 20;
const weight: TensorSpec = { name: 'fc.weight', shape: [3, 2], role: { kind: 'weight', fanIn: 2 } };
const scale: TensorSpec = { name: 'bn.weight', shape: [3], role: { kind: 'scale' } };
const bias: TensorSpec = { name: 'bn.bias', shape: [3], role: { kind: 'bias' } };
const specs = [weight, scale, bias];

export type Parameters = ReadonlyMap<string, NdArray>;

export interface OptimizerRun {
  readonly optimizer: OptimizerName;
  readonly weightDecay: number;
}

export const optimizerRuns: readonly OptimizerRun[] = (Object.keys(optimizers) as OptimizerName[]).flatMap(
  (optimizer) => [0, 0.1].map((weightDecay) => ({ optimizer, weightDecay })),
);

const random = seeded(7);
const noise = range(steps).map(() => new Map(specs.map(({ name, shape }) => [name, uniform(shape)])));
const start: Parameters = new Map(specs.map(({ name, shape }) => [name, uniform(shape)]));

/** Returns the gradient of a bowl whose centre moves, so that an error of θ returns in the next gradient. */
const gradientAt = (t: number, name: string, theta: NdArray): NdArray => ({
  shape: theta.shape,
  data: theta.data.map((x, i) => 0.7 * x + element(noise[t - 1]?.get(name)?.data ?? [], i)),
});

const learningRateAt = (t: number): number => 0.05 / (1 + 0.1 * t);

/** Returns θ after twenty steps of the emitted graph. */
export async function runEmitted(
  { optimizer, weightDecay }: OptimizerRun,
  run: (graph: Graph, feeds: Arrays) => Arrays | Promise<Arrays>,
): Promise<Parameters> {
  const options: UpdateOptions = { optimizer: optimizers[optimizer]({ momentum: 0.9 }), weightDecay, bnMomentum: 0.9 };
  const graph = updateGraph(options);
  const slots = specs.flatMap(({ name, shape }) =>
    options.optimizer.slots.map((slot) => [slotName(name, slot), zeros(shape)] as const),
  );
  let state = new Map<string, NdArray>([...start, ...slots]);
  for (let t = 1; t <= steps; t += 1) {
    const gradients = specs.map(({ name }) => [`d/${name}`, gradientAt(t, name, pick(state, name))] as const);
    const scalars = Object.entries(stepScalars(options, t, learningRateAt(t)));
    const feeds = [...state, ...gradients, ...scalars.map(([name, value]) => [name, scalar(value)] as const)];
    const results = await run(graph, Object.fromEntries(feeds));
    state = new Map([...state.keys()].map((name) => [name, pick(results, `next/${name}`)]));
  }
  return new Map(specs.map(({ name }) => [name, pick(state, name)]));
}

/** Returns θ after twenty published updates in float64. */
export function runPublished({ optimizer, weightDecay }: OptimizerRun): Parameters {
  return new Map(
    specs.map(({ name, shape, role }) => {
      const update = published[optimizer]();
      let theta = pick(start, name);
      for (let t = 1; t <= steps; t += 1) {
        const gradient = [...gradientAt(t, name, theta).data];
        const decay = role.kind === 'weight' ? weightDecay : 0;
        const step = { t, gradient, learningRate: learningRateAt(t), weightDecay: decay };
        theta = { shape, data: Float64Array.from(update([...theta.data], step)) };
      }
      return [name, theta];
    }),
  );
}

function updateGraph(options: UpdateOptions): Graph {
  const g = graphBuilder();
  const input = (name: string, shape: readonly number[]) => [name, g.input(name, { dtype: 'float32', shape })] as const;
  const state = new Map(
    specs.flatMap(({ name, shape }) => [
      input(name, shape),
      ...options.optimizer.slots.map((slot) => input(slotName(name, slot), shape)),
    ]),
  );
  const gradients = new Map(specs.map(({ name, shape }) => [name, input(`d/${name}`, shape)[1]]));
  const scalars = new Map(Object.keys(stepScalars(options, 1, 1)).map((name) => input(name, [])));
  const after: ReadonlyMap<string, Value> = updateParameters(g, specs, gradients, { state, scalars }, options);
  const outputs = Object.fromEntries([...after].map(([name, value]) => [`next/${name}`, value]));
  return checkGraph(g.build('update', outputs));
}

function pick(from: Parameters | Arrays, name: string): NdArray {
  const array = from instanceof Map ? (from as Parameters).get(name) : (from as Arrays)[name];
  if (!array) throw new Error(`${name} is missing`);
  return array;
}

function uniform(shape: readonly number[]): NdArray {
  const { data } = zeros(shape);
  return { shape, data: data.map(() => Math.fround(2 * random() - 1)) };
}
