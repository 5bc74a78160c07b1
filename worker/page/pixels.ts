/** A picture as the model takes it. */

/** Rows and columns. */
export const SIDE = 28;

/** Grey values, `[28, 28]`: 0 is paper, 255 is ink. */
export type Pixels = Uint8Array<ArrayBuffer>;
