/**
 * Buffers hold values while the program runs. Each has a fixed address in the arena. Every element takes four bytes: a
 * float32, an integer of 32 bits, or a boolean as 0 or −1.
 *
 * **Plain**: row-major, as in ONNX.
 *
 * **Blocked**: an image in blocks of four channels, since a vector holds four, with a border of zeros as wide as its
 * readers need:
 *
 *     block 0 (channels 0 1 2 3)              block 1 (channels 4 5 6 7)
 *     ┌───────────────────────────┐           ┌──────
 *     │ 0    0    0    0    0   0 │ top       │
 *     │ 0   p00  p01  p02  p03  0 │           │        each p is a vector: one pixel of four channels
 *     │ 0   p10  p11  p12  p13  0 │           │
 *     │ 0    0    0    0    0   0 │ bottom    │
 *     └───────────────────────────┘           └──────
 *      left                    right
 *
 * The lanes behind the last channel hold arbitrary numbers. Kernels on this layout move whole pixels, so stride,
 * dilation and width make no difference to them. A single pixel (H = W = 1) has the layout of a plain vector.
 */

/** Vectors may be read and written past the end of a buffer by less than one vector. */
const slack = 16;

export const vectorBytes = 16;

export const vectorsFor = (count: number): number => Math.ceil(count / 4);

export class Plain {
  readonly kind = 'plain';
  readonly name: string;
  readonly count: number;

  constructor(name: string, count: number) {
    this.name = name;
    this.count = count;
  }

  get bytes(): number {
    return vectorBytes * vectorsFor(this.count) + slack;
  }
}

/** The rows and columns of zeros around an image. */
export interface Border {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

export interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

export class Blocked {
  readonly kind = 'blocked';
  readonly name: string;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  #border: Border = { top: 0, left: 0, bottom: 0, right: 0 };

  constructor(name: string, { channels, height, width }: ImageSize) {
    this.name = name;
    this.channels = channels;
    this.height = height;
    this.width = width;
  }

  /** The border, as wide as requested so far. Kernels read it after everything is lowered. */
  get border(): Border {
    return this.#border;
  }

  widen(wanted: Border): void {
    const { top, left, bottom, right } = this.#border;
    this.#border = {
      top: Math.max(top, wanted.top),
      left: Math.max(left, wanted.left),
      bottom: Math.max(bottom, wanted.bottom),
      right: Math.max(right, wanted.right),
    };
  }

  get blocks(): number {
    return vectorsFor(this.channels);
  }

  get hasBorder(): boolean {
    return Object.values(this.#border).some((width) => width > 0);
  }

  get rowBytes(): number {
    return vectorBytes * (this.#border.left + this.width + this.#border.right);
  }

  get planeBytes(): number {
    return this.rowBytes * (this.#border.top + this.height + this.#border.bottom);
  }

  /** Returns the distance from the buffer's address to its first pixel inside the border. */
  get origin(): number {
    return this.#border.top * this.rowBytes + this.#border.left * vectorBytes;
  }

  get bytes(): number {
    return this.blocks * this.planeBytes + slack;
  }
}

/** Consecutive rows of vectors, where each column of lanes belongs to one output. */
export interface Section {
  readonly rows: number;
  readonly vectors: number;
}

/** Numbers that the module contains. */
export class Stored {
  readonly kind = 'stored';
  readonly name: string;
  readonly data: Uint8Array;
  /** The sections of weights, which may be stored in less than single precision; empty for other numbers. */
  readonly sections: readonly Section[];

  constructor(name: string, data: Float32Array | Int32Array | Int8Array, sections: readonly Section[] = []) {
    this.name = name;
    this.data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.sections = sections;
  }

  get bytes(): number {
    return this.data.length + slack;
  }
}

export type Buffer = Plain | Blocked | Stored;
