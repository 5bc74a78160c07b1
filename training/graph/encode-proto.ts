/**
 * The bytes of ONNX messages as all other writers have them. ONNX is proto2, where a list of numbers is one tag and one number
 * after the other unless the field says `[packed = true]`; `onnx-proto`'s encoders pack every list, which some readers refuse.
 * https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto
 */
import type { Writer } from 'protobufjs/minimal.js';
import { type onnx, onnxProto } from './onnx-proto.ts';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;

/** Fields with lists that are not packed, as they begin on the wire. */
const tags = { dims: 0x08, floats: 0x3d, ints: 0x40 } as const;

const encodeTensor = TensorProto.encode.bind(TensorProto);
const encodeAttribute = AttributeProto.encode.bind(AttributeProto);

// The encoders of other messages look these up for every tensor and attribute that they write.
TensorProto.encode = ({ dims, ...others }: onnx.ITensorProto, writer?: Writer) => {
  const start = encodeTensor({}, writer);
  for (const size of dims ?? []) start.uint32(tags.dims).int64(size as number);
  return encodeTensor(others, start);
};

AttributeProto.encode = ({ floats, ints, ...others }: onnx.IAttributeProto, writer?: Writer) => {
  const end = encodeAttribute(others, writer);
  for (const value of floats ?? []) end.uint32(tags.floats).float(value);
  for (const value of ints ?? []) end.uint32(tags.ints).int64(value as number);
  return end;
};

export const encodeProto = (model: onnx.IModelProto): Uint8Array => ModelProto.encode(model).finish();
