/**
 * The bytes of any ONNX file as messages. Tensors stored as bytes stay views of the file. All else becomes objects of V8's heap,
 * of which a file can hold one in every byte or two: 4 MB of empty messages take 500 MB. So their number is limited.
 */
import onnxProto, { type onnx } from 'onnx-proto';
import protobuf from 'protobufjs/minimal.js';
import { GraphError } from './types.ts';

/** The tags and lengths of fields, and the numbers of lists. The CNN on MNIST has 790. */
const MOST_VALUES = 2 ** 22;

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

/** Counts all that onnx-proto's decoder asks for but the bytes of tensors and strings. */
class CountingReader extends protobuf.BufferReader {
  #count = 0;

  override uint32(): number {
    this.#take();
    return super.uint32();
  }

  override int64(): protobuf.Long {
    this.#take();
    return super.int64();
  }

  override uint64(): protobuf.Long {
    this.#take();
    return super.uint64();
  }

  override float(): number {
    this.#take();
    return super.float();
  }

  override double(): number {
    this.#take();
    return super.double();
  }

  #take(): void {
    if (++this.#count > MOST_VALUES)
      throw new GraphError(`expected tensors as raw data, got more than ${MOST_VALUES} messages and numbers of lists`);
  }
}
