/** Emits a network's forward pass. */
import type { GraphBuilder, Value } from '../graph/index.ts';
import { type Plan, type PlannedLayer, ruleOf } from './plan.ts';
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
  let output = normalizeInput(g, plan, x, options.tensors);
  plan.layers.forEach((planned, index) => {
    output = g.scoped(planned.name, () => {
      const emitted = emitLayer(g, planned, index, output, options);
      if (emitted.statistics) batchStatistics.set(planned.name, emitted.statistics);
      return emitted.y;
    });
  });
  return { output, batchStatistics };
}

function emitLayer(g: GraphBuilder, { name, layer }: PlannedLayer, index: number, x: Value, options: ForwardOptions) {
  let statistics: BatchStatistics | undefined;
  const y = ruleOf(layer).emit(layer, x, {
    g,
    mode: options.mode,
    bnMomentum: options.bnMomentum ?? 0,
    tensor: (tensor) => options.tensors.get(`${name}.${tensor}`),
    observe: (observed) => {
      statistics = observed;
    },
    uniform: (shape) => {
      if (!options.randomKey) throw new Error(`internal: ${name}: dropout without a random key`);
      return uniform(g, options.randomKey, index, shape);
    },
  });
  return { y, statistics };
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
