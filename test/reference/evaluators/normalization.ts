/** Evaluates normalizations, whose formulas are those of the specification. */
import type { OpType } from '../../../training/graph/index.ts';
import { add, build, dim, forEachIndex, fromFront, type Index, type NdArray, read, zeros } from '../ndarray.ts';
import type { EvaluatorTable } from './evaluator.ts';

/** Returns the mean of `f(element, channel)` over every axis except the channel's: `[N, C, ..] -> [C]`. */
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

/** Returns the mean over the axes from `axis` on, which are kept with size 1. */
function meanFrom(axis: number, X: NdArray): NdArray {
  const sum = zeros(X.shape.map((size, i) => (i < axis ? size : 1)));
  forEachIndex(X.shape, (index) => {
    add(sum, keep(axis, index), read(X, index));
  });
  return { shape: sum.shape, data: sum.data.map((total) => (total * sum.data.length) / X.data.length) };
}

const keep = (axis: number, index: Index): Index => index.map((position, i) => (i < axis ? position : 0));

export const normalization = {
  LayerNormalization: ([X, Scale, B], { axis, epsilon }) => {
    const at = fromFront(axis, X.shape.length);
    const Mean = meanFrom(at, X);
    const variance = meanFrom(
      at,
      build(X.shape, (index) => (read(X, index) - read(Mean, keep(at, index))) ** 2),
    );
    const InvStdDev = { shape: Mean.shape, data: variance.data.map((v) => 1 / Math.sqrt(v + epsilon)) };
    const Y = build(X.shape, (index) => {
      const normalized = (read(X, index) - read(Mean, keep(at, index))) * read(InvStdDev, keep(at, index));
      return normalized * read(Scale, index.slice(at)) + read(B, index.slice(at));
    });
    return [Y, Mean, InvStdDev];
  },
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
