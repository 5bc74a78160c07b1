/** A picture as the model takes it. */

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Bytes `[channels, rows, columns]`; of a drawing 0 is paper and 255 ink. */
export type Pixels = Uint8Array<ArrayBuffer>;
