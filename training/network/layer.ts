/** Layers by name, with the defaults of their settings. */
import { defaultAverage, defaultBins } from './layer-defaults.ts';
import type { Layer, LayerOf } from './schema.ts';

/**
 * Encodes the numbers of a table's rows. Each is scaled by median and quartiles, with outliers drawn in. Beside it
 * stand at most `bins` bins (384 for all numbers together), whose edges training finds: 1 for a bin below the number, 0
 * for a bin above it, and the position within its own bin (Gorishniy et al., https://arxiv.org/abs/2203.05556). The
 * layer begins a network, together with `encodeCategories` where there are categories.
 */
export const encodeNumbers = ({ bins = defaultBins }: { bins?: number } = {}): Layer => ({
  kind: 'encodeNumbers',
  bins,
});

/**
 * Encodes the categories of a table's rows. Columns with more than `dimension` categories get an embedding of
 * `dimension` numbers for each category. All other columns, or all columns where no dimension is given, are one-hot. A
 * category that training has not seen becomes zeros.
 */
export const encodeCategories = ({ dimension }: { dimension?: number } = {}): Layer => ({
  kind: 'encodeCategories',
  ...(dimension !== undefined && { dimension }),
});

/** y = x Wᵀ + b: `[N, I] -> [N, units]`. */
export const dense = (units: number): Layer => ({ kind: 'dense', units });

/**
 * Convolution with a square kernel: `[N, I, H, W] -> [N, channels, H', W']`,
 * H' = ⌊(H + 2 padding − dilation (kernel − 1) − 1) / stride⌋ + 1.
 */
export const conv2d = (
  channels: number,
  {
    kernel,
    stride = 1,
    padding = 0,
    dilation = 1,
    groups = 1,
  }: { kernel: number; stride?: number; padding?: number; dilation?: number; groups?: number },
): Layer => ({ kind: 'conv2d', channels, kernel, stride, padding, dilation, groups });

/** Batch Norm over the channels of `[N, C]` or `[N, C, H, W]`. */
export const batchNorm = ({ epsilon = 1e-5 }: { epsilon?: number } = {}): Layer => ({ kind: 'batchNorm', epsilon });

/**
 * Layer Norm (Ba et al., https://arxiv.org/abs/1607.06450): normalizes each sample by the mean and variance of its own
 * activations.
 */
export const layerNorm = ({ epsilon = 1e-5 }: { epsilon?: number } = {}): Layer => ({ kind: 'layerNorm', epsilon });

/** max(x, 0). */
export const relu = (): Layer => ({ kind: 'relu' });

/** x where it is above zero, slope · x elsewhere. */
export const leakyRelu = (slope = 0.01): Layer => ({ kind: 'leakyRelu', slope });

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (): Layer => ({ kind: 'sigmoid' });

export const tanh = (): Layer => ({ kind: 'tanh' });

/** x Φ(x), with the normal distribution's Φ: Hendrycks and Gimpel, https://arxiv.org/abs/1606.08415 */
export const gelu = (): Layer => ({ kind: 'gelu' });

/** eˣ / Σ eˣ over features or channels. It does not suit the end of a network, since the losses take logits. */
export const softmax = (): Layer => ({ kind: 'softmax' });

/** The maximum of each square window. */
export const maxPool = (kernel: number, { stride = kernel }: { stride?: number } = {}): Layer => ({
  kind: 'maxPool',
  kernel,
  stride,
});

/** The mean of each square window. */
export const averagePool = (kernel: number, { stride = kernel }: { stride?: number } = {}): Layer => ({
  kind: 'averagePool',
  kernel,
  stride,
});

/** The mean of each channel: `[N, C, H, W] -> [N, C]`. */
export const globalAveragePool = (): Layer => ({ kind: 'globalAveragePool' });

/** `[N, C, H, W] -> [N, C · H · W]`. */
export const flatten = (): Layer => ({ kind: 'flatten' });

/**
 * Members of an ensemble in one network, each of which sees the features with its own signs: `[N, D] -> [N, count, D]`.
 * The following dense layers are shared, Batch Norm has statistics, γ and β for each member, and `heads` ends the
 * network. Gorishniy et al. ("TabM-mini"), https://arxiv.org/abs/2410.24210, with Batch Norm.
 */
export const members = (count: number): Layer => ({ kind: 'members', count });

/**
 * A dense layer for each member, `[N, members, D] -> [N, units]`. Training minimizes the mean of the members' own
 * losses; the answer is the mean of their probabilities (as logits) or of their values. The layer ends a network.
 */
export const heads = (
  units: number,
  { average = defaultAverage(units) }: { average?: LayerOf<'heads'>['average'] } = {},
): Layer => ({ kind: 'heads', units, average });

/** In training, sets activations to zero with probability `rate` and scales the others by 1 / (1 − rate). */
export const dropout = (rate: number): Layer => ({ kind: 'dropout', rate });

/**
 * layers(x) + shortcut(x), He et al., https://arxiv.org/abs/1512.03385. The activation after the sum is a layer of its
 * own.
 */
export const residual = (layers: readonly Layer[], { shortcut = [] }: { shortcut?: readonly Layer[] } = {}): Layer => ({
  kind: 'residual',
  layers,
  shortcut,
});
