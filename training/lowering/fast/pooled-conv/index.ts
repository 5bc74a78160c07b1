/**
 * Convolution, Batch Norm, ReLU and 2 × 2 max pooling as one block, forward and backward, in the batch-last layout:
 *
 *     MaxPool(Relu(BatchNormalization(Conv(X, W))))     becomes     relu(|γ|/s (max of z's corners − μ) + β)
 *
 * Blocks are found before the graph is replayed. dγ, dβ, dW and dX are each recognized by the nodes that their rules
 * emit, and taken from the block instead. Nodes that nothing reads any more drop out of the graph. README.md has a
 * picture and says in which order to read the files.
 *
 * Gain: without it a step of mnist-cnn takes 1.82 times as long at batch 64, 1.90 times at batch 256, one of
 * mnist-resnet 1.29 times (`npm run bench:lowering`).
 */
import { knownSizes } from '../../../graph/index.ts';
import { type Operand, patterns } from '../../pattern.ts';
import { type Pass, type Replacements, rewrite, rule } from '../../rewrite.ts';
import { batchFirst } from '../batch-last.ts';
import { correlated } from '../batch-norm-gradient.ts';
import { weightGradient } from '../conv-weight-gradient.ts';
import { findBlocks } from './blocks.ts';
import { EmittedBlocks } from './emitted-blocks.ts';
import { emitForward, outputOf, statisticsOf } from './forward.ts';

const { BatchNormalization, Conv, ConvTranspose, ReduceSum } = patterns;

export const pooledConv: Pass = (graph, onReplaced) =>
  rewrite(graph, replacementsBy(new EmittedBlocks(findBlocks(graph))), onReplaced);

/** Matches Σ for each channel. */
const overImages = <D extends Operand>(data: D) => ReduceSum(data, [0, 2, 3], { keepdims: 0 });

const replacementsBy = (emitted: EmittedBlocks): readonly Replacements[] => [
  rule(
    BatchNormalization(Conv('X', 'W').as('conv'), 'scale', 'B'),
    (g, { X, W, conv, scale, B }, { name, inputs, attributes }) => {
      const block = emitted.blockOf(name);
      if (!block) return undefined;
      const forward = emitForward(g, block, X, W, scale, B);
      emitted.add(conv.outputs[0], forward);
      const [Y] = g.BatchNormalization(...inputs, attributes);
      return [Y, ...statisticsOf(g, forward)];
    },
  ),

  {
    MaxPool: (g, node) => {
      const forward = emitted.ofPool(g, node);
      if (!forward) return undefined;
      const [, Indices] = g.MaxPool(...node.inputs, node.attributes);
      return [outputOf(g, forward), Indices];
    },
  },

  // dγ = Σ dz̃ · ẑ
  rule(overImages(correlated), (g, { dOutput }) => emitted.ofBatchNormCotangent(g, dOutput)?.dScale),

  // dβ = Σ dz̃
  rule(overImages('dOutput'), (g, { dOutput }) => emitted.ofBatchNormCotangent(g, dOutput)?.dShift),

  // dW
  rule(weightGradient, (g, { X, dY }, { outputs: [dW] }) => {
    const backward = emitted.ofConvCotangent(g, dY);
    if (backward?.forward.X.name !== X.name) return undefined;
    return g.Reshape(backward.weight(), g.ints(knownSizes(dW.shape)));
  }),

  // dX
  rule(ConvTranspose('dz', 'W'), (g, { dz, W }, { outputs: [dX] }) => {
    const backward = emitted.ofConvCotangent(g, dz);
    if (backward?.forward.W.name !== W.name) return undefined;
    return backward.input && batchFirst(g, backward.input(W), knownSizes(dX.shape));
  }),
];
