/**
 * Reads and writes numbers, vectors and names as a WebAssembly module stores them.
 * Source: https://webassembly.github.io/spec/core/binary/values.html
 */

/** Reads LEB128 numbers, vectors and names from `bytes`, starting at `offset`. */
export class Reader {
  readonly bytes: Uint8Array;
  offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  get done(): boolean {
    return this.offset >= this.bytes.length;
  }

  byte(): number {
    const value = this.bytes[this.offset++];
    if (value === undefined) throw new Error(`wasm: expected another byte at ${this.offset - 1}, got the end`);
    return value;
  }

  /** Reads unsigned LEB128 of up to 53 bits. It may also skip signed numbers. */
  u32(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      if (next < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.u32()));
  }

  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.u32() }, item);
  }
}

/** Encodes unsigned LEB128. */
export function u32(value: number): number[] {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  bytes.push(value);
  return bytes;
}

/** Encodes a 64-bit integer as signed LEB128, which is also right for `i32.const`. */
export function s64(value: bigint): number[] {
  const bytes = [];
  for (;;) {
    const low = Number(value & 0x7fn);
    value >>= 7n;
    if ((value === 0n && low < 0x40) || (value === -1n && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

export function concat(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((offset, part) => (bytes.set(part, offset), offset + part.length), 0);
  return bytes;
}

/** Encodes a vector of already encoded items. */
export function vector(items: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return concat([u32(items.length), ...items]);
}

/** Returns bytes with their length in front, as function bodies and names are stored. */
export function sized(bytes: Uint8Array): Uint8Array {
  return concat([u32(bytes.length), bytes]);
}
