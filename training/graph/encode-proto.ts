/**
 * Encodes ONNX messages to the bytes that other writers produce. ONNX is proto2, where each number of a list follows a
 * tag of its own unless the field says `[packed = true]`. `onnx-proto`'s encoders pack every list, which some readers
 * refuse.
 *
 * Source: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto
 */
import type { Writer } from 'protobufjs/minimal.js';
import { type onnx, onnxProto } from './onnx-proto.ts';

const { AttributeProto, GraphProto, ModelProto, TensorProto } = onnxProto.onnx;

/** Tags on the wire of fields with lists that are not packed. */
const tags = { dims: 0x08, floats: 0x3d, ints: 0x40 } as const;

const packed = {
  tensor: TensorProto.encode.bind(TensorProto),
  attribute: AttributeProto.encode.bind(AttributeProto),
} as const;

function writeTensor({ dims, ...others }: onnx.ITensorProto, writer?: Writer): Writer {
  const start = packed.tensor({}, writer);
  for (const size of dims ?? []) start.uint32(tags.dims).int64(size as number);
  return packed.tensor(others, start);
}

function writeAttribute({ floats, ints, ...others }: onnx.IAttributeProto, writer?: Writer): Writer {
  const end = packed.attribute(others, writer);
  for (const value of floats ?? []) end.uint32(tags.floats).float(value);
  for (const value of ints ?? []) end.uint32(tags.ints).int64(value as number);
  return end;
}

/**
 * Wraps an encoder so that lists are not packed. Encoders of other messages look up those of tensors and attributes
 * when they meet one, so these are replaced while they run.
 */
function unpacked<Message>(encode: (message: Message) => Writer): (message: Message) => Uint8Array {
  return (message) => {
    TensorProto.encode = writeTensor;
    AttributeProto.encode = writeAttribute;
    try {
      return encode(message).finish();
    } finally {
      TensorProto.encode = packed.tensor;
      AttributeProto.encode = packed.attribute;
    }
  };
}

export const encodeProto = unpacked((model: onnx.IModelProto) => ModelProto.encode(model));
export const encodeGraphProto = unpacked((graph: onnx.IGraphProto) => GraphProto.encode(graph));
export const encodeTensorProto = unpacked(writeTensor);
