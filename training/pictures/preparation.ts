/**
 * Describes how a model's pictures are prepared. This file holds types alone, since the types of an image state the
 * same.
 */

/** The size of a model's pictures in pixels. */
export interface PictureSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * The way in which a picture of another aspect ratio is fitted to the model's size: `stretch` distorts it, `cover`
 * takes the largest part from its middle, `contain` puts the whole picture on the background.
 */
export type Fit = 'stretch' | 'cover' | 'contain';

/** The position of channels: first, each as a plane of its own, or last, beside each other in a pixel. */
export type Layout = 'NCHW' | 'NHWC';

/** The number that a model takes for a byte of each channel, in the input's order: (byte · scale − mean) / std. */
export interface PictureNumbers {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The preparation of a model's pictures. It is stored in the checkpoint and, for the Worker, in the image. */
export interface PicturePreparation {
  readonly size: PictureSize;
  /** 1 for grey, 3 for red, green and blue, 4 for those and alpha. */
  readonly channels: 1 | 3 | 4;
  /** The resampling filter, see `Resampler`. */
  readonly filter: 'triangle';
  readonly fit: Fit;
  /**
   * The length to which the shorter side is scaled before `cover` crops the middle, like torchvision's `Resize(256)`
   * before `CenterCrop(224)`. Without it, the largest possible part of the middle is taken.
   */
  readonly resize?: number;
  /** The colour `#rrggbb` under transparent pixels, and around a picture that is contained. */
  readonly background: string;
  /**
   * Is true where pictures are cropped, centred and made white on black like MNIST's drawings. `fit` and `background`
   * have no effect then.
   */
  readonly drawing?: boolean;
  /**
   * The numbers that a model takes for the bytes 0 and 255, if not those themselves. Null where it is not known what
   * its numbers mean; pictures are then refused.
   */
  readonly values?: readonly [black: number, white: number] | null;
  /** The numbers that a model takes, where they differ between channels. */
  readonly numbers?: PictureNumbers;
  /** Default: `NCHW`. */
  readonly layout?: Layout;
  /** `BGR` where blue comes first among the three colours. */
  readonly order?: 'BGR';
}
