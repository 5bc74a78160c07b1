/** Writes ONNX files field by field, as onnx-proto would not: https://protobuf.dev/programming-guides/encoding/ */
import onnxProto from 'onnx-proto';
import { digits } from '../../bundle/fixtures.ts';

const { GraphProto, ModelProto } = onnxProto.onnx;

/** The fields of each message: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto */
export const fields = {
  model: { graph: 7 },
  graph: { node: 1, initializer: 5, docString: 10 },
  node: { input: 1, output: 2, opType: 4, attribute: 5 },
  attribute: { name: 1, graph: 6, floats: 7, ints: 8 },
  tensor: { floatData: 4, int64Data: 7, rawData: 9 },
} as const;

/** Encodes a message, a text or a list as a field of another message. */
export function field(number: number, ...content: readonly Uint8Array[]): Buffer {
  const head = [(number << 3) | 2];
  let length = content.reduce((sum, part) => sum + part.length, 0);
  for (; length > 0x7f; length >>>= 7) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), ...content]);
}

export const repeated = (count: number, part: Uint8Array): Buffer => Buffer.alloc(count * part.length, part);

/** Returns the fixture model, which has a Batch Norm layer, with more fields in its graph. */
export function withBatchNorm(...more: readonly Uint8Array[]): Buffer {
  const { graph, ...others } = ModelProto.decode(digits());
  const first = GraphProto.encode(graph ?? {}).finish();
  return Buffer.concat([ModelProto.encode(others).finish(), field(fields.model.graph, first, ...more)]);
}

/** Returns the same model with an attribute of this content. */
export const withAttribute = (...content: readonly Uint8Array[]): Buffer =>
  withBatchNorm(field(fields.graph.node, field(fields.node.attribute, ...content)));
