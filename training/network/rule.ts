/** The interface of a layer's rule: the shape after the layer, the tensors it owns, and the nodes it emits. */
import type { GraphBuilder, Value } from '../graph/index.ts';
import type { EncoderKind, Layer, LayerKind, LayerOf } from './schema.ts';

/** Each mode says which statistics Batch Norm normalizes with, and whether dropout is active. */
export const modes = {
  train: { statistics: 'mini-batch', dropout: true },
  /** Fine-tuning with frozen Batch Norm: the statistics are fixed as in inference, while γ and β are still trained. */
  frozenTrain: { statistics: 'running', dropout: true },
  inference: { statistics: 'running', dropout: false },
  /** Inference with mini-batch statistics, as a counter-example. */
  batchStatistics: { statistics: 'mini-batch', dropout: false },
} as const;

export type Mode = keyof typeof modes;

/** The role of a tensor decides how it is initialized and what changes it. */
export type TensorRole =
  /** Trained; initialized as He et al. 2015 propose for `fanIn` inputs. */
  | { readonly kind: 'weight'; readonly fanIn: number }
  /** Trained; initialized with zeros. */
  | { readonly kind: 'bias' }
  /** Batch Norm's γ, trained; initialized with ones. */
  | { readonly kind: 'scale' }
  /** Trained; initialized with 1 or −1 at random. */
  | { readonly kind: 'sign' }
  /** Not trained: an average over mini-batches, or a statistic of the data. */
  | { readonly kind: 'mean' }
  | { readonly kind: 'variance' }
  /** Not trained: σ of the data. */
  | { readonly kind: 'deviation' };

export interface TensorSpec {
  /** PyTorch's name within the layer: `weight`, `bias`, `running_mean`, `running_var`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: TensorRole;
}

/** A mini-batch's own μ and σ² (population variance, divided by m), `[C]` each. */
export interface BatchStatistics {
  /** The activations `[N, C, ..]` that the statistics describe. */
  readonly z: Value;
  readonly mean: Value;
  readonly variance: Value;
}

export interface EmitContext {
  readonly g: GraphBuilder;
  readonly mode: Mode;
  /** Batch Norm's attribute: the share of the old running statistics that its second and third outputs keep. */
  readonly bnMomentum: number;
  /** Returns the layer's tensor of that name; undefined for the bias of a layer that has none. */
  readonly tensor: (name: string) => Value | undefined;
  /** Emits a chain of layers inside the layer. */
  readonly chain: (name: string, x: Value) => Value;
  /** Reports a Batch Norm layer's mini-batch statistics, which are then averaged. */
  readonly observe: (statistics: BatchStatistics) => void;
  /** Reports the answers of each member, `[N, members, units]`, whose mean is the network's answer. */
  readonly reportMembers: (answers: Value) => void;
  /** Emits numbers in [0, 1), different for every layer and training step. */
  readonly uniform: (shape: readonly number[]) => Value;
}

/** Returns a tensor that the layer always owns. */
export function requiredTensor({ tensor }: EmitContext, name: string): Value {
  const value = tensor(name);
  if (!value) throw new Error(`internal: the layer has no ${name}`);
  return value;
}

/** The kinds of layers that take the output of another layer. */
export type RuledKind = Exclude<LayerKind, EncoderKind>;

export interface LayerRule<K extends RuledKind = RuledKind> {
  /**
   * The chains of layers inside, each of which takes the layer's own input. Their tensors are named after layer and
   * chain, `block1.shortcut.conv1.weight`, except in the chain `layers`: `block1.conv1.weight`.
   */
  readonly chains?: (layer: LayerOf<K>) => Readonly<Record<string, readonly Layer[]>>;
  /**
   * Returns the shape of one sample after the layer. Throws a `GraphError` for an input that does not fit.
   *
   * @param chainShapes the shapes after the chains
   */
  readonly outputShape: (layer: LayerOf<K>, inputShape: readonly number[], chainShapes: Shapes) => readonly number[];
  readonly tensors: (layer: LayerOf<K>, inputShape: readonly number[], bias: boolean) => readonly TensorSpec[];
  readonly emit: (layer: LayerOf<K>, x: Value, context: EmitContext) => Value;
}

type Shapes = Readonly<Record<string, readonly number[]>>;

export type LayerRules = { readonly [K in RuledKind]: LayerRule<K> };

const untrained: readonly TensorRole['kind'][] = ['mean', 'variance', 'deviation'];

export const isTrained = ({ role }: TensorSpec): boolean => !untrained.includes(role.kind);
