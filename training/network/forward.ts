/** Emits a network's forward pass. */
import { present } from '../arrays/index.ts';
import type { GraphBuilder, Value } from '../graph/index.ts';
import { emitInput } from './encode.ts';
import { layersOf, type Plan, type PlannedLayer, withRule } from './plan.ts';
import { type RandomKey, uniform } from './random.ts';
import type { BatchStatistics, Mode } from './rule.ts';
import { emitTarget } from './units.ts';

export interface Forward {
  /** The output `[N, ..]` of the last layer, in the unit of the targets. */
  readonly output: Value;
  /**
   * `[N, members, ..]`: the answers whose mean is the output, in the same unit; undefined for a network without
   * members.
   */
  readonly members: Value | undefined;
  /**
   * Maps Batch Norm layers, in order, to the statistics of the mini-batch. It is empty in modes without mini-batch
   * statistics.
   */
  readonly batchStatistics: ReadonlyMap<string, BatchStatistics>;
}

export interface ForwardOptions {
  readonly mode: Mode;
  /** The network's tensors by full name. */
  readonly tensors: ReadonlyMap<string, Value>;
  /**
   * The momentum of the Batch Norm nodes. With the default 0 they keep nothing old, so they give the mini-batch's own
   * statistics.
   */
  readonly bnMomentum?: number;
  /** Seeds dropout. Networks with dropout need it in `train` mode. */
  readonly randomKey?: RandomKey;
}

/**
 * Emits the forward pass.
 *
 * @param x raw inputs `[N, ..inputShape]`, numbers of any type
 */
export function emitForward(g: GraphBuilder, plan: Plan, x: Value, options: ForwardOptions): Forward {
  const batchStatistics = new Map<string, BatchStatistics>();
  const reported: Value[] = [];
  const pass: Pass = { g, options, batchStatistics, reported, order: layersOf(plan).map(({ name }) => name) };
  const encoded = g.scoped('input', () => emitInput(g, plan.network, plan.input, x, options.tensors));
  const z = emitChain(pass, plan.layers, encoded);
  const inUnits = (answer: Value) => g.scoped('target', () => emitTarget(g, plan.target, answer, options.tensors));
  const [members] = reported;
  return { output: inUnits(z), members: members && inUnits(members), batchStatistics };
}

interface Pass {
  readonly g: GraphBuilder;
  readonly options: ForwardOptions;
  readonly batchStatistics: Map<string, BatchStatistics>;
  /** The members' answers, where there are members. */
  readonly reported: Value[];
  /** The names of all layers. A layer's index is its stream of random numbers. */
  readonly order: readonly string[];
}

const emitChain = (pass: Pass, layers: readonly PlannedLayer[], x: Value): Value =>
  layers.reduce((y, planned) => pass.g.scoped(planned.label, () => emitLayer(pass, planned, y)), x);

function emitLayer(pass: Pass, { name, layer: described, chains }: PlannedLayer, x: Value): Value {
  const { g, options, batchStatistics, reported, order } = pass;
  const { layer, rule } = withRule(described);
  return rule.emit(layer, x, {
    g,
    mode: options.mode,
    bnMomentum: options.bnMomentum ?? 0,
    tensor: (tensor) => options.tensors.get(`${name}.${tensor}`),
    chain: (chain, input) => emitChain(pass, present(chains[chain]), input),
    observe: (statistics) => {
      batchStatistics.set(name, statistics);
    },
    reportMembers: (answers) => {
      reported.push(answers);
    },
    uniform: (shape) => {
      if (!options.randomKey) throw new Error(`internal: ${name}: dropout without a random key`);
      return uniform(g, options.randomKey, order.indexOf(name), shape);
    },
  });
}
