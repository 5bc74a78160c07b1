/**
 * The blocks by the values of the graph that belong to them. A block is found before the pass, gets its forward pass when its Batch Norm node
 * is replayed, and its backward pass, once, when the first of its gradients is.
 */
import type { OpNode, Value } from '../../../graph/index.ts';
import { patterns } from '../../pattern.ts';
import type { Rewriter } from '../../rewrite.ts';
import { inputGradient } from '../batch-norm-gradient.ts';
import { tilesInTwos } from '../max-pool-gradient.ts';
import { maskedRoutingOf } from '../relu-after-pool.ts';
import type { Block } from './blocks.ts';
import type { Forward } from './forward.ts';
import { type Backward, emitBackward } from './gradient.ts';

const { BatchNormalization, MaxPool, Relu } = patterns;

/** y, which is pooled. */
const activation = Relu(BatchNormalization('z')).as('relu');
const pooled = MaxPool(activation);
/** dz̃: what the pooling routes to each element of y, masked by y > 0. */
const batchNormCotangent = maskedRoutingOf(activation, activation);

export class EmittedBlocks {
  readonly #found: ReadonlyMap<string, Block>;
  /** By the name of the convolution's output z. */
  readonly #forward = new Map<string, Forward>();
  readonly #backward = new Map<string, Backward>();

  constructor(found: readonly Block[]) {
    this.#found = new Map(found.map((block) => [block.bn.name, block]));
  }

  /** The block that a Batch Norm node, by its name, belongs to. */
  blockOf(batchNorm: string): Block | undefined {
    return this.#found.get(batchNorm);
  }

  add(z: Value, forward: Forward): void {
    this.#forward.set(z.name, forward);
  }

  /** By the pooling at its end. */
  ofPool(g: Rewriter, pool: OpNode<'MaxPool'>): Forward | undefined {
    const found = tilesInTwos(pool) ? pooled.match(g, pool) : undefined;
    return found && this.#forward.get(found.z.name);
  }

  /** By dz̃, the cotangent of Batch Norm's output. */
  ofBatchNormCotangent(g: Rewriter, dOutput: Value): Backward | undefined {
    const found = batchNormCotangent.match(g, dOutput);
    if (!found || !tilesInTwos(found.pool)) return undefined;
    const { z, dY } = found;
    const forward = this.#forward.get(z.name);
    if (!forward) return undefined;
    const backward = this.#backward.get(z.name) ?? emitBackward(g, forward, dY);
    this.#backward.set(z.name, backward);
    return backward;
  }

  /** By dz, the cotangent of the convolution's output. */
  ofConvCotangent(g: Rewriter, dz: Value): Backward | undefined {
    const gradient = inputGradient.match(g, dz);
    return gradient && this.ofBatchNormCotangent(g, gradient.dOutput);
  }
}
