/**
 * The bytes of any ONNX file as messages. Tensors stored as bytes stay views of the file. All else becomes objects of V8's heap,
 * of which a file can hold one in every byte or two: 4 MB of empty messages take 500 MB. So their number is limited.
 */
import onnxProto, { type onnx } from 'onnx-proto';
import protobuf from 'protobufjs/minimal.js';
import { GraphError } from './types.ts';

/** Estimated, in bytes; the CNN on MNIST takes 0.1 MB. */
const MOST_MEMORY = 64e6;

/** In bytes: a tag or a length, half of what an empty message has; an integer of 64 bits, which is an object; any other number. */
const memory = { field: 120, integer: 60, number: 15 } as const;

/** @throws GraphError for bytes that are no ONNX model, or one that would take too much memory */
export function decodeProto(bytes: Uint8Array): onnx.ModelProto {
  try {
    return onnxProto.onnx.ModelProto.decode(
      new CountingReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
    );
  } catch (error) {
    if (error instanceof GraphError) throw error;
    throw new GraphError(`expected an ONNX model, got ${bytes.byteLength} bytes that are none`, { cause: error });
  }
}

/** Adds up all that onnx-proto's decoder asks for but the bytes of tensors and strings. */
class CountingReader extends protobuf.BufferReader {
  #taken = 0;

  override uint32(): number {
    this.#take(memory.field);
    return super.uint32();
  }

  override int64(): protobuf.Long {
    this.#take(memory.integer);
    return super.int64();
  }

  override uint64(): protobuf.Long {
    this.#take(memory.integer);
    return super.uint64();
  }

  override float(): number {
    this.#take(memory.number);
    return super.float();
  }

  override double(): number {
    this.#take(memory.number);
    return super.double();
  }

  #take(memory: number): void {
    this.#taken += memory;
    if (this.#taken > MOST_MEMORY)
      throw new GraphError(
        `expected tensors as raw data, got messages and lists of numbers for more than ${MOST_MEMORY / 1e6} MB`,
      );
  }
}
