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
  };
  readonly batchNorm: {
    /** Added to the variance; PyTorch's and ONNX's default is 1e-5. */
    readonly epsilon: number;
  };
  readonly relu: object;
  readonly maxPool: { readonly kernel: number; readonly stride: number };
  readonly flatten: object;
  readonly dropout: {
    /** The probability that an activation is set to zero. */
    readonly rate: number;
  };
}

export type LayerKind = keyof LayerSettings;
export type LayerOf<K extends LayerKind> = { readonly kind: K } & LayerSettings[K];
export type Layer = { [K in LayerKind]: LayerOf<K> }[LayerKind];

/** y = x Wᵀ + b: `[N, I] -> [N, units]`. */
export const dense = (units: number): Layer => ({ kind: 'dense', units });

/** Convolution with a square kernel: `[N, I, H, W] -> [N, channels, H', W']`, H' = ⌊(H + 2 padding − kernel) / stride⌋ + 1. */
export const conv2d = (
  channels: number,
  { kernel, stride = 1, padding = 0 }: { kernel: number; stride?: number; padding?: number },
): Layer => ({ kind: 'conv2d', channels, kernel, stride, padding });

/** Batch Norm over the channels of `[N, C]` or `[N, C, H, W]`. */
export const batchNorm = ({ epsilon = 1e-5 }: { epsilon?: number } = {}): Layer => ({ kind: 'batchNorm', epsilon });

/** max(x, 0). */
export const relu = (): Layer => ({ kind: 'relu' });

/** The largest value of each square window. */
export const maxPool = (kernel: number, { stride = kernel }: { stride?: number } = {}): Layer => ({
  kind: 'maxPool',
  kernel,
  stride,
});

/** `[N, C, H, W] -> [N, C · H · W]`. */
export const flatten = (): Layer => ({ kind: 'flatten' });

/** In training sets activations to zero with probability `rate` and scales the others by 1 / (1 − rate). */
export const dropout = (rate: number): Layer => ({ kind: 'dropout', rate });

/** How raw inputs are normalized: one μ, σ² for each channel, or one for each feature (pixel). */
export type InputNormalization = 'channel' | 'feature';

export interface Network {
  readonly name: string;
  /** One sample: `[C, H, W]` or `[features]`. */
  readonly inputShape: readonly number[];
  readonly inputNormalization: InputNormalization;
  readonly layers: readonly Layer[];
}
