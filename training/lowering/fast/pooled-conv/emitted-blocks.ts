/**
 * Finds blocks by the values of the graph that belong to them. A block is recognized before the pass. Its forward pass
 * is emitted when its Batch Norm node is replayed, and its backward pass, once, when the first of its gradients is.
 */
import type { OpNode, Value } from '../../../graph/index.ts';
import { patterns } from '../../pattern.ts';
import type { Rewriter } from '../../rewrite.ts';
import { batchNormInputGradient } from '../batch-norm-gradient.ts';
import { tilesInTwos } from '../max-pool-gradient.ts';
import { maskedRoutingOf } from '../relu-after-pool.ts';
import type { Block } from './blocks.ts';
import type { Forward } from './forward.ts';
import { type Backward, emitBackward } from './gradient.ts';

const { BatchNormalization, MaxPool, Relu } = patterns;

/** Matches y, which is pooled. */
const activation = Relu(BatchNormalization('z')).as('relu');
const pooled = MaxPool(activation);
/** Matches dz̃: what the pooling routes to each element of y, masked by y > 0. */
const batchNormCotangent = maskedRoutingOf(activation, activation);

export class EmittedBlocks {
  readonly #found: ReadonlyMap<string, Block>;
  /** Both map the name of the convolution's output z to what has been emitted for its block. */
  readonly #forward = new Map<string, Forward>();
  readonly #backward = new Map<string, Backward>();

  constructor(found: readonly Block[]) {
    this.#found = new Map(found.map((block) => [block.bn.name, block]));
  }

  /** Returns the block of a Batch Norm node, by the node's name. */
  blockOf(batchNorm: string): Block | undefined {
    return this.#found.get(batchNorm);
  }

  add(z: Value, forward: Forward): void {
    this.#forward.set(z.name, forward);
  }

  /** Returns the forward pass of the block that ends with a pooling. */
  ofPool(g: Rewriter, pool: OpNode<'MaxPool'>): Forward | undefined {
    const found = tilesInTwos(pool) ? pooled.match(g, pool) : undefined;
    return found && this.#forward.get(found.z.name);
  }

  /** Returns the backward pass of a block, by dz̃, the cotangent of Batch Norm's output. */
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

  /** Returns the backward pass of a block, by dz, the cotangent of the convolution's output. */
  ofConvCotangent(g: Rewriter, dz: Value): Backward | undefined {
    const gradient = batchNormInputGradient.match(g, dz);
    return gradient && this.ofBatchNormCotangent(g, gradient.dOutput);
  }
}
