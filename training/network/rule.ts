/** What a layer's rule says: the shape it gives, the tensors it owns, and the nodes it emits. */
import type { GraphBuilder, Value } from '../graph/index.ts';
import type { EncoderKind, Layer, LayerKind, LayerOf } from './schema.ts';

/** What Batch Norm normalizes by, and whether dropout drops. */
export const modes = {
  train: { statistics: 'mini-batch', dropout: true },
  /** Fine-tuning with frozen Batch Norm: the statistics are as fixed as in inference; γ and β are trained all the same. */
  frozenTrain: { statistics: 'running', dropout: true },
  inference: { statistics: 'running', dropout: false },
  /** Inference with mini-batch statistics, the counter-example. */
  batchStatistics: { statistics: 'mini-batch', dropout: false },
} as const;

export type Mode = keyof typeof modes;

/** What a tensor is for decides how it starts and who changes it. */
export type TensorRole =
  /** Trained; starts as He et al. 2015 propose for `fanIn` inputs. */
  | { readonly kind: 'weight'; readonly fanIn: number }
  /** Trained; starts at zero. */
  | { readonly kind: 'bias' }
  /** Batch Norm's γ, trained; starts at one. */
  | { readonly kind: 'scale' }
  /** Trained; starts at 1 or −1, by chance. */
  | { readonly kind: 'sign' }
  /** Not trained: an average over mini-batches. */
  | { readonly kind: 'mean' }
  | { readonly kind: 'variance' }
  /** Not trained, as the mean beside it: σ of the data. */
  | { readonly kind: 'deviation' };

export interface TensorSpec {
  /** PyTorch's name within the layer: `weight`, `bias`, `running_mean`, `running_var`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: TensorRole;
}

/** A mini-batch's own μ and σ² (population variance, divided by m), `[C]` each. */
export interface BatchStatistics {
  /** The activations `[N, C, ..]` whose statistics they are. */
  readonly z: Value;
  readonly mean: Value;
  readonly variance: Value;
}

export interface EmitContext {
  readonly g: GraphBuilder;
  readonly mode: Mode;
  /** Batch Norm's attribute: the share of the old running statistics that its second and third outputs keep. */
  readonly bnMomentum: number;
  /** The layer's tensor of that name; undefined for the bias of a layer that has none. */
  readonly tensor: (name: string) => Value | undefined;
  /** Emits a chain of layers inside. */
  readonly chain: (name: string, x: Value) => Value;
  /** Hands a Batch Norm layer's mini-batch statistics to whoever averages them. */
  readonly observe: (statistics: BatchStatistics) => void;
  /** Hands on the answers of each member, `[N, members, units]`, of which the network's own is the mean. */
  readonly tellMembers: (answers: Value) => void;
  /** Numbers in [0, 1), fresh for every layer and training step. */
  readonly uniform: (shape: readonly number[]) => Value;
}

/** A tensor that the layer always owns. */
export function own({ tensor }: EmitContext, name: string): Value {
  const value = tensor(name);
  if (!value) throw new Error(`internal: the layer has no ${name}`);
  return value;
}

/** Of the kinds that take what a layer before has given. */
export type RuledKind = Exclude<LayerKind, EncoderKind>;

export interface LayerRule<K extends RuledKind = RuledKind> {
  /**
   * The chains of layers inside, each of which takes the layer's own input. Their tensors are named after layer and
   * chain, `block1.shortcut.conv1.weight`, but for the chain `layers`: `block1.conv1.weight`.
   */
  readonly chains?: (layer: LayerOf<K>) => Readonly<Record<string, readonly Layer[]>>;
  /**
   * The shape of one sample after the layer. Throws a `GraphError` for an input that does not fit.
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
