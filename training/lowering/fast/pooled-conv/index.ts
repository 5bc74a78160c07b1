/**
 * Convolution, Batch Norm, ReLU and 2 × 2 max pooling as one block, forward and backward, in the batch-last layout.
 *
 * The forward pass is found in advance, the gradient from what is asked of it: dγ, dβ, dW and dX are each recognized by the
 * nodes that their rules emit, and given by the block instead. Nodes that nobody asks any more drop out of the graph.
 */
import { batchFirst } from '../batch-last.ts';
import { matchScaleGradient } from '../batch-norm-gradient.ts';
import { matchWeightGradient } from '../conv-weight-gradient.ts';
import { producer, sizes } from '../../match.ts';
import { type Pass, type Replacements, rewrite } from '../../rewrite.ts';
import { findBlocks } from './blocks.ts';
import { EmittedBlocks } from './emitted-blocks.ts';
import { emitForward, outputOf, statisticsOf } from './forward.ts';

export const pooledConv: Pass = (graph) => rewrite(graph, replacements(new EmittedBlocks(findBlocks(graph))));

const replacements = (emitted: EmittedBlocks): Replacements => ({
  BatchNormalization: (g, { name, inputs, attributes }) => {
    const [z, scale, B] = inputs;
    const [block, conv] = [emitted.blockOf(name), producer(g, z, 'Conv')];
    if (!block || !conv) return undefined;
    const forward = emitForward(g, block, conv.inputs[0], conv.inputs[1], scale, B);
    emitted.add(z, forward);
    const [Y] = g.BatchNormalization(...inputs, attributes);
    return [Y, ...statisticsOf(g, forward)];
  },

  MaxPool: (g, node) => {
    const forward = emitted.ofPool(g, node);
    if (!forward) return undefined;
    const [, Indices] = g.MaxPool(...node.inputs, node.attributes);
    return [outputOf(g, forward), Indices];
  },

  // dγ = Σ dz̃ · ẑ or dβ = Σ dz̃
  ReduceSum: (g, node) => {
    const [data, axes] = node.inputs;
    if (axes.constant?.data.join() !== '0,2,3' || node.attributes.keepdims === 1) return undefined;
    const scaleGradient = matchScaleGradient(g, node);
    const ofScale = scaleGradient && emitted.ofBatchNormCotangent(g, scaleGradient.dOutput);
    if (ofScale) return [ofScale.dScale];
    const ofShift = emitted.ofBatchNormCotangent(g, data);
    return ofShift && [ofShift.dShift];
  },

  // dW
  Transpose: (g, node) => {
    const gradient = matchWeightGradient(g, node);
    const backward = gradient && emitted.ofConvCotangent(g, gradient.dY);
    return backward && [g.Reshape(backward.weight(), g.ints(sizes(node.outputs[0])))];
  },

  // dX
  ConvTranspose: (g, { inputs: [dz, W], outputs: [dX] }) => {
    const backward = emitted.ofConvCotangent(g, dz);
    return backward?.input && [batchFirst(g, backward.input(W), sizes(dX))];
  },
});
