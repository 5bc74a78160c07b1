/**
 * Layers as data. A network is a plain, serializable list of them; what a layer does is its rule in `rules/`.
 */

/** The settings of every kind of layer. */
export interface LayerSettings {
  readonly dense: { readonly units: number };
  readonly conv2d: {
    readonly channels: number;
    readonly kernel: number;
    readonly stride: number;
    readonly padding: number;
    /** The distance between two taps of the kernel. */
    readonly dilation: number;
    /** Each group of output channels sees its own group of input channels alone. */
    readonly groups: number;
  };
  readonly batchNorm: {
    /** Added to the variance; PyTorch's and ONNX's default is 1e-5. */
    readonly epsilon: number;
  };
  readonly layerNorm: { readonly epsilon: number };
  readonly relu: object;
  readonly leakyRelu: {
    /** Below zero. */
    readonly slope: number;
  };
  readonly sigmoid: object;
  readonly tanh: object;
  readonly gelu: object;
  readonly softmax: object;
  readonly maxPool: { readonly kernel: number; readonly stride: number };
  readonly averagePool: { readonly kernel: number; readonly stride: number };
  readonly globalAveragePool: object;
  readonly flatten: object;
  readonly dropout: {
    /** The probability that an activation is set to zero. */
    readonly rate: number;
  };
  readonly residual: {
    readonly layers: readonly Layer[];
    /** What brings the input to the shape of the layers' output; none where the shapes are equal. */
    readonly shortcut: readonly Layer[];
  };
}

export type LayerKind = keyof LayerSettings;
export type LayerOf<K extends LayerKind> = { readonly kind: K } & LayerSettings[K];
export type Layer = { [K in LayerKind]: LayerOf<K> }[LayerKind];

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

/** Layer Norm (Ba et al., https://arxiv.org/abs/1607.06450): each sample by the mean and variance of its own activations. */
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

/** eˣ / Σ eˣ over features or channels. Not for the end of a network: the losses take logits. */
export const softmax = (): Layer => ({ kind: 'softmax' });

/** The largest value of each square window. */
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

/** In training sets activations to zero with probability `rate` and scales the others by 1 / (1 − rate). */
export const dropout = (rate: number): Layer => ({ kind: 'dropout', rate });

/**
 * layers(x) + shortcut(x), He et al., https://arxiv.org/abs/1512.03385. The activation behind the sum is a layer of its own.
 */
export const residual = (layers: readonly Layer[], { shortcut = [] }: { shortcut?: readonly Layer[] } = {}): Layer => ({
  kind: 'residual',
  layers,
  shortcut,
});

/** How raw inputs are normalized: one μ, σ² for each channel, or one for each feature (pixel), or not at all. */
export type InputNormalization = 'channel' | 'feature' | 'none';

export interface Network {
  readonly name: string;
  /** One sample: `[C, H, W]` or `[features]`. */
  readonly inputShape: readonly number[];
  readonly inputNormalization: InputNormalization;
  /** Of rows of a table: how many categories each column has, 0 where it holds numbers. Categories come by index. */
  readonly categories?: readonly number[] | undefined;
  /** The layers give numbers in standard deviations from the mean target, the network gives them in the targets' unit. */
  readonly standardizedTargets?: true | undefined;
  readonly layers: readonly Layer[];
}
