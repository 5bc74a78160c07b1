/** The blocks that have been emitted so far: how a value of the graph finds the block that it belongs to. */
import type { GraphBuilder, OpNode, Value } from '../../../graph/index.ts';
import { matchInputGradient } from '../batch-norm-gradient.ts';
import { producer } from '../../match.ts';
import { tilesInTwos } from '../max-pool-gradient.ts';
import { matchMaskedRouting } from '../relu-after-pool.ts';
import type { Block } from './blocks.ts';
import type { Forward } from './forward.ts';
import { type Backward, emitBackward } from './gradient.ts';

export class EmittedBlocks {
  readonly #found: ReadonlyMap<string, Block>;
  /** By the name of the convolution's output z. */
  readonly #forward = new Map<string, Forward>();
  readonly #backward = new Map<string, Backward>();

  constructor(found: readonly Block[]) {
    this.#found = new Map(found.map((block) => [block.bn.name, block]));
  }

  /** The block, not emitted yet, that a Batch Norm node belongs to. */
  blockOf(batchNorm: string): Block | undefined {
    return this.#found.get(batchNorm);
  }

  add(z: Value, forward: Forward): void {
    this.#forward.set(z.name, forward);
  }

  /** By the pooling at its end. */
  ofPool(g: GraphBuilder, pool: OpNode<'MaxPool'>): Forward | undefined {
    const z = inputOf(g, pool);
    return z && this.#forward.get(z.name);
  }

  /** By dz̃, the cotangent of Batch Norm's output: what pooling routes to each element, masked by ReLU. */
  ofBatchNormCotangent(g: GraphBuilder, dZ: Value): Backward | undefined {
    const product = producer(g, dZ, 'Mul');
    const masked = product && matchMaskedRouting(g, product);
    const z = masked && inputOf(g, masked.routing.pool);
    const forward = z && this.#forward.get(z.name);
    if (!forward || masked.routing.pool.inputs[0] !== masked.relu.outputs[0]) return undefined;
    const backward = this.#backward.get(z.name) ?? emitBackward(g, forward, masked.routing.dY);
    this.#backward.set(z.name, backward);
    return backward;
  }

  /** By dz, the cotangent of the convolution's output. */
  ofConvCotangent(g: GraphBuilder, dz: Value): Backward | undefined {
    const product = producer(g, dz, 'Mul');
    const gradient = product && matchInputGradient(g, product);
    return gradient && this.ofBatchNormCotangent(g, gradient.dOutput);
  }
}

/** z of maxpool(relu(batchNorm(z))), where the windows are those of a block. */
function inputOf(g: GraphBuilder, pool: OpNode<'MaxPool'>): Value | undefined {
  const relu = tilesInTwos(pool) ? producer(g, pool.inputs[0], 'Relu') : undefined;
  return producer(g, relu?.inputs[0], 'BatchNormalization')?.inputs[0];
}
