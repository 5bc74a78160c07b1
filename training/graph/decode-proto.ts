/**
 * Decodes the bytes of any ONNX file to messages. The numbers of tensors stay views of the file. Everything else
 * becomes objects on V8's heap, which can take hundreds of bytes for two bytes of the file; so their memory is limited.
 */
import { type onnx, onnxProto } from './onnx-proto.ts';
import protobuf from 'protobufjs/minimal.js';
import { GraphError } from './types.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;

/**
 * The limit of the estimated memory in bytes. The CNN on MNIST takes 0.1 MB, and 10,000 nodes with their weights take
 * 26 MB.
 */
const MAX_MEMORY = 64e6;

/**
 * Upper bounds of the memory that parts of a file take, in bytes. `field` is a tag or a length, which is half of an
 * empty message. `string` is a string without its characters and takes the place of its tag and length. `number` is a
 * number in a list, with the garbage of the list's growth. `long` is an integer that is an object.
 */
const memory = { field: 230, string: 160, number: 35, long: 120 } as const;

const decodeAnyTensor = TensorProto.decode.bind(TensorProto);

/**
 * Decodes the bytes of a model.
 *
 * @throws GraphError for bytes that are not an ONNX model, or a model that would take too much memory
 */
export function decodeProto(bytes: Uint8Array): onnx.ModelProto {
  // The decoders of other messages look up `TensorProto.decode` when they meet a tensor, so it is replaced while they
  // run.
  TensorProto.decode = (reader, length = 0) =>
    readTensor(reader as protobuf.Reader, (reader as protobuf.Reader).pos + length);
  try {
    return ModelProto.decode(new CountingReader(bytes));
  } catch (error) {
    if (error instanceof GraphError) throw error;
    throw new GraphError(`expected an ONNX model, got ${bytes.byteLength} bytes that are none`, { cause: error });
  } finally {
    TensorProto.decode = decodeAnyTensor;
  }
}

/**
 * Adds up the memory of what onnx-proto's decoder reads. Byte fields, such as the data of tensors, are not counted:
 * they stay views of the file.
 */
class CountingReader extends protobuf.Reader {
  #taken = 0;

  override uint32(): number {
    this.#take(memory.field);
    return super.uint32();
  }

  override string(): string {
    const start = this.pos;
    this.#take(memory.string - 2 * memory.field + 2 * super.uint32());
    this.pos = start;
    return super.string();
  }

  /**
   * Adds nothing: an int32 only replaces a default value in its message. Its tag and value are counted as they are
   * read, and subtracted here.
   */
  override int32(): number {
    this.#take(-2 * memory.field);
    return super.int32();
  }

  /** Returns a number where four bytes suffice, otherwise an object: messages may hold either. */
  override int64(): protobuf.Long {
    const start = this.pos;
    const size = this.skip().pos - start;
    this.pos = start;
    this.#take(size <= 4 ? memory.number : memory.long);
    return size <= 4 ? (super.uint32() as unknown as protobuf.Long) : super.int64();
  }

  override float(): number {
    this.#take(memory.number);
    return super.float();
  }

  #take(memory: number): void {
    this.#taken += memory;
    if (this.#taken > MAX_MEMORY)
      throw new GraphError(`expected messages, texts and lists of numbers of at most ${MAX_MEMORY / 1e6} MB, got more`);
  }
}

/** Tags of a tensor's fields on the wire: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto */
const tags = {
  dim: 0x08,
  dims: 0x0a,
  dataType: 0x10,
  floatData: 0x22,
  int32Data: 0x2a,
  int64Data: 0x3a,
  name: 0x42,
  rawData: 0x4a,
  doubleData: 0x52,
} as const;

/** The integers of tensors as the file packs them. They take no memory until they are read. */
const packedIntegers = new WeakMap<object, Uint8Array>();

/**
 * Returns the integers that a tensor holds in a list of their own and not as raw data. Half precision is stored there
 * as bits.
 *
 * @returns `undefined` where there is no such list, or it is longer than `max`
 */
export function integersOf(tensor: object, max: number): readonly number[] | undefined {
  const packed = packedIntegers.get(tensor);
  if (!packed) return undefined;
  const reader = new protobuf.Reader(packed);
  const integers: number[] = [];
  while (reader.pos < reader.len) {
    if (integers.length === max) return undefined;
    integers.push(Number(reader.int64()));
  }
  return integers;
}

/**
 * Reads a tensor. Lists of floats have the same bytes as raw data, and become that. Texts are not needed and are
 * skipped.
 */
function readTensor(reader: protobuf.Reader, end: number): onnx.TensorProto {
  // The constructor would make a list for each kind of data.
  const tensor = Object.create(TensorProto.prototype) as onnx.TensorProto;
  tensor.dims = [];
  while (reader.pos < end) {
    const tag = reader.uint32();
    switch (tag) {
      case tags.dim:
        tensor.dims.push(reader.int64());
        break;
      case tags.dims:
        for (const last = reader.uint32() + reader.pos; reader.pos < last;) tensor.dims.push(reader.int64());
        break;
      case tags.dataType:
        tensor.dataType = reader.int32();
        break;
      case tags.name:
        tensor.name = reader.string();
        break;
      case tags.floatData:
      case tags.doubleData:
      case tags.rawData:
        tensor.rawData = reader.bytes();
        break;
      case tags.int32Data:
      case tags.int64Data:
        packedIntegers.set(tensor, reader.bytes());
        break;
      default:
        reader.skipType(tag & 7);
    }
  }
  return tensor;
}
