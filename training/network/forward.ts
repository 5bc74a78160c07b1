/** Emits a network's forward pass. */
import type { GraphBuilder, Value } from '../graph/index.ts';
import { layersOf, type Plan, type PlannedLayer, ruleOf } from './plan.ts';
import { type RandomKey, uniform } from './random.ts';
import type { BatchStatistics, Mode } from './rule.ts';

export interface Forward {
  /** `[N, ..]` of the last layer. */
  readonly output: Value;
  /** Batch Norm's second and third outputs by layer, in order; none in `inference` mode. */
  readonly batchStatistics: ReadonlyMap<string, BatchStatistics>;
}

export interface ForwardOptions {
  readonly mode: Mode;
  /** The network's tensors by full name. */
  readonly tensors: ReadonlyMap<string, Value>;
  /** Of the Batch Norm nodes. With the default 0 they keep nothing old: they give the mini-batch's own statistics. */
  readonly bnMomentum?: number;
  /** Seeds dropout; needed in `train` mode by networks that have it. */
  readonly randomKey?: RandomKey;
}

/**
 * @param x raw inputs `[N, ..inputShape]`, numbers of any type
 */
export function emitForward(g: GraphBuilder, plan: Plan, x: Value, options: ForwardOptions): Forward {
  const batchStatistics = new Map<string, BatchStatistics>();
  const pass: Pass = { g, options, batchStatistics, order: layersOf(plan).map(({ name }) => name) };
  const output = emitChain(pass, plan.layers, normalizeInput(g, plan, x, options.tensors));
  return { output, batchStatistics };
}

interface Pass {
  readonly g: GraphBuilder;
  readonly options: ForwardOptions;
  readonly batchStatistics: Map<string, BatchStatistics>;
  /** The names of all layers; a layer's position is its stream of random numbers. */
  readonly order: readonly string[];
}

const emitChain = (pass: Pass, layers: readonly PlannedLayer[], x: Value): Value =>
  layers.reduce((y, planned) => pass.g.scoped(planned.label, () => emitLayer(pass, planned, y)), x);

function emitLayer(pass: Pass, { name, layer, chains }: PlannedLayer, x: Value): Value {
  const { g, options, batchStatistics, order } = pass;
  return ruleOf(layer).emit(layer, x, {
    g,
    mode: options.mode,
    bnMomentum: options.bnMomentum ?? 0,
    tensor: (tensor) => options.tensors.get(`${name}.${tensor}`),
    chain: (chain, input) => emitChain(pass, chains[chain] ?? [], input),
    observe: (statistics) => {
      batchStatistics.set(name, statistics);
    },
    uniform: (shape) => {
      if (!options.randomKey) throw new Error(`internal: ${name}: dropout without a random key`);
      return uniform(g, options.randomKey, order.indexOf(name), shape);
    },
  });
}

/** x̂ = (x − μ) / √(σ² + ε), with the training set's μ, σ²; ε keeps pixels that never vary finite. */
function normalizeInput(
  g: GraphBuilder,
  { input: [mean, variance] }: Plan,
  x: Value,
  tensors: ReadonlyMap<string, Value>,
): Value {
  const [mu, sigma2] = [tensors.get(mean.name), tensors.get(variance.name)];
  if (!mu || !sigma2) throw new Error(`internal: ${mean.name} and ${variance.name} are not among the tensors`);
  return g.scoped('input', () => {
    const centred = g.Sub(x.dtype === 'float32' ? x : g.Cast(x, { to: 'float32' }), mu);
    return g.Div(centred, g.Sqrt(g.Add(sigma2, g.scalar(1e-5))));
  });
}
