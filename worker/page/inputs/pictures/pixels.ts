/** Describes a picture as the model takes it. */

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Holds bytes `[channels, rows, columns]`; in a drawing 0 is paper and 255 ink. */
export type Pixels = Uint8Array<ArrayBuffer>;
