/**
 * Changes a message of Protocol Buffers in its bytes: everything else is copied as it stands, known or not, and takes
 * no more memory than the copy. https://protobuf.dev/programming-guides/encoding/
 */
import protobuf from 'protobufjs/minimal.js';

/** Bytes that follow each other. */
export type Pieces = readonly Uint8Array[];

/**
 * Replaces the messages of one field. `change` receives the index of each, and the offsets at which its content begins
 * and ends; it returns undefined to keep the message.
 */
export function splice(
  message: Uint8Array,
  field: number,
  change: (index: number, begin: number, end: number) => Pieces | undefined,
): Pieces {
  const reader = new protobuf.Reader(message);
  const pieces: Uint8Array[] = [];
  let [index, kept] = [0, 0];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag !== tagOf(field)) {
      reader.skipType(tag & 7);
      continue;
    }
    const length = reader.uint32();
    const end = reader.skip(length).pos;
    const changed = change(index++, end - length, end);
    if (!changed) continue;
    pieces.push(message.subarray(kept, start), ...changed);
    kept = end;
  }
  return [...pieces, message.subarray(kept)];
}

/** Encodes a field with a message. */
export function fieldOf(field: number, content: Pieces): Pieces {
  const length = content.reduce((sum, { length }) => sum + length, 0);
  return [protobuf.Writer.create().uint32(tagOf(field)).uint32(length).finish(), ...content];
}

/** Messages have their length in front, which is wire type 2. */
const tagOf = (field: number): number => (field << 3) | 2;
