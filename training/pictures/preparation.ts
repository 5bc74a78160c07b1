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

/** How a model's pictures are prepared: it is written into the checkpoint and the card. */
export interface PicturePreparation {
  readonly size: PictureSize;
  readonly channels: 1 | 3;
  /** See `resample`. */
  readonly filter: 'triangle';
  readonly fit: Fit;
  /** What shows under transparent pixels, and around a picture that is contained: `#rrggbb`. */
  readonly background: string;
  /** Framed, centred and made white on black as MNIST's drawings are; fit and background have no say then. */
  readonly drawing?: boolean;
  /**
   * What a model takes for the bytes 0 and 255, if not those; null where its numbers are not known to be those of pictures, which are
   * then refused.
   */
  readonly values?: readonly [black: number, white: number] | null;
}
