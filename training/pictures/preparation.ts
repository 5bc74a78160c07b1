/** How a model's pictures are prepared. These are types alone: an image's own types say the same. */

/** What a model takes. */
export interface PictureSize {
  readonly rows: number;
  readonly columns: number;
}

/**
 * How a picture of another shape comes to the model's: whole and distorted; its middle, as large as fits the shape; or whole on
 * the background.
 */
export type Fit = 'stretch' | 'cover' | 'contain';

/** Whether a picture's channels come in front of its rows and columns, each a plane of its own, or behind them. */
export type Layout = 'NCHW' | 'NHWC';

/** What a model takes for a byte of each channel, in the input's order: (byte · scale − mean) / std. */
export interface PictureNumbers {
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** How a model's pictures are prepared: it is written into the checkpoint and, for the Worker, into the image. */
export interface PicturePreparation {
  readonly size: PictureSize;
  /** Grey; red, green and blue; or those and alpha. */
  readonly channels: 1 | 3 | 4;
  /** See `resample`. */
  readonly filter: 'triangle';
  readonly fit: Fit;
  /**
   * The length to which the shorter side is brought before `cover` cuts the middle out: torchvision's `Resize(256)` before
   * `CenterCrop(224)`. Without it the middle is as large as fits.
   */
  readonly resize?: number;
  /** What shows under transparent pixels, and around a picture that is contained: `#rrggbb`. */
  readonly background: string;
  /** Framed, centred and made white on black as MNIST's drawings are; fit and background have no say then. */
  readonly drawing?: boolean;
  /**
   * What a model takes for the bytes 0 and 255, if not those; null where its numbers are not known to be those of pictures, which are
   * then refused.
   */
  readonly values?: readonly [black: number, white: number] | null;
  /** The same for each channel of its own. */
  readonly numbers?: PictureNumbers;
  /** Channels in front where it is omitted. */
  readonly layout?: Layout;
  /** Of the three colours, where blue comes first. */
  readonly order?: 'BGR';
}
