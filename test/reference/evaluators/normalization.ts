import type { OpType } from '../../../training/graph/index.ts';
import { build, dim, forEachIndex, type NdArray, read, zeros, add } from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

/** The mean of `f(element, channel)` over every axis but the channel's: `[N, C, ..] -> [C]`. */
function channelMean(X: NdArray, f: (x: number, channel: number) => number): NdArray {
  const sum = zeros([dim(X.shape, 1)]);
  forEachIndex(X.shape, (index) => {
    const c = dim(index, 1);
    add(sum, [c], f(read(X, index), c));
  });
  const m = X.data.length / dim(X.shape, 1);
  return { shape: sum.shape, data: sum.data.map((total) => total / m) };
}

const mix = (old: NdArray, fresh: NdArray, momentum: number): NdArray =>
  build(old.shape, (index) => read(old, index) * momentum + read(fresh, index) * (1 - momentum));

export const normalization = {
  BatchNormalization: ([X, scale, B, input_mean, input_var], { epsilon, momentum, training_mode }) => {
    const current_mean = channelMean(X, (x) => x);
    const current_var = channelMean(X, (x, c) => (x - read(current_mean, [c])) ** 2);
    const [mean, variance] = training_mode ? [current_mean, current_var] : [input_mean, input_var];
    const Y = build(X.shape, (index) => {
      const channel = [dim(index, 1)];
      const normalized = (read(X, index) - read(mean, channel)) / Math.sqrt(read(variance, channel) + epsilon);
      return normalized * read(scale, channel) + read(B, channel);
    });
    if (!training_mode) return [Y, input_mean, input_var];
    return [Y, mix(input_mean, current_mean, momentum), mix(input_var, current_var, momentum)];
  },
} satisfies Partial<EvaluatorTable<OpType>>;
