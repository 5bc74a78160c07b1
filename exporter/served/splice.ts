/**
 * A message of Protocol Buffers changed in its bytes: what stays is copied as it stands, known or not, and takes no more memory
 * than the copy. https://protobuf.dev/programming-guides/encoding/
 */
import protobuf from 'protobufjs/minimal.js';

/** Bytes that follow each other. */
export type Pieces = readonly Uint8Array[];

/**
 * The message with the messages of one field as `change` has them, which is told the content of each by where it begins and
 * ends; those for which it has nothing stay.
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

/** A field with a message. */
export function fieldOf(field: number, content: Pieces): Pieces {
  const length = content.reduce((sum, { length }) => sum + length, 0);
  return [protobuf.Writer.create().uint32(tagOf(field)).uint32(length).finish(), ...content];
}

/** Messages have their length before them, which is wire type 2. */
const tagOf = (field: number): number => (field << 3) | 2;
