/**
 * What the segments of a JPEG file declare: its frame, the components of its pixels, and its scans.
 *
 * Source: https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annexes A and B
 */

/** The colour space of the pixels. */
export type JpegColour = 'grey' | 'rgb' | 'ycc' | 'cmyk' | 'ycck';

export interface Jpeg {
  readonly width: number;
  readonly height: number;
  readonly colour: JpegColour;
  readonly components: readonly Component[];
  /** The maximum sampling factors. */
  readonly across: number;
  readonly down: number;
  readonly isProgressive: boolean;
  readonly scans: readonly Scan[];
}

/** One channel, possibly at a fraction of the picture's size. */
export interface Component {
  readonly id: number;
  /** The sampling factors: the number of blocks in a unit, horizontally and vertically. */
  readonly across: number;
  readonly down: number;
  /** The size in samples. */
  readonly width: number;
  readonly height: number;
  /** The size in blocks, as a scan of this component alone stores it. */
  readonly blocksAcross: number;
  readonly blocksDown: number;
  /** The quantization table, in the order of a block (row by row), not of the file. */
  readonly quantization: Int32Array;
}

export interface Scan {
  readonly parts: readonly ScanPart[];
  /** The first and last coefficient of the scan, in the order of the file. */
  readonly first: number;
  readonly last: number;
  /**
   * The bit positions down to which the coefficients were known before the scan (`high`, 0 where they were not known)
   * and are known after it (`low`).
   */
  readonly high: number;
  readonly low: number;
  /** The number of units between restart markers, 0 for no such markers. */
  readonly restarts: number;
  /** The start and end of the scan's data in the file. */
  readonly start: number;
  readonly end: number;
}

export interface ScanPart {
  /** The index of a component. */
  readonly component: number;
  /** The offsets of the tables in the file, behind their class and number; `undefined` where the file defines none. */
  readonly dc: number | undefined;
  readonly ac: number | undefined;
}

/** Maps the order of the file, along the block's diagonals, to the order of a block. */
// oxfmt-ignore
export const ZIGZAG = Uint8Array.of(
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
);
