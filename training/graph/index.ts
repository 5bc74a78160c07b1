/** ONNX graphs: ops, builder, checker, printer, files. Knows nothing of gradients or layers. */
export { type GraphBuilder, graphBuilder } from './builder.ts';
export { checkGraph } from './check.ts';
export { decodeProto, integersOf } from './decode-proto.ts';
export { decodeAnyModel, decodeModel } from './decode.ts';
export { encodeGraphProto, encodeProto, encodeTensorProto } from './encode-proto.ts';
export { encodeModel } from './encode.ts';
export { isDType } from './onnx-types.ts';
export { type onnx, onnxProto } from './onnx-proto.ts';
export type { Attributes, Graph, Inputs, Node, OpNode, OpType, Outputs } from './ops.ts';
export { printGraph } from './print.ts';
export { modelSignature } from './signature.ts';
export { type ElementwiseOp, elementwiseOps } from './schemas/elementwise.ts';
export { opSchemas } from './schemas/index.ts';
export { liveNodes, readsOf } from './prune.ts';
export {
  constantInts,
  formatShape,
  formatType,
  known,
  knownSizes,
  normalizeAxis,
  sameShape,
  sizeIfKnown,
  sizeOf,
  sizesOf,
} from './schemas/schema.ts';
export {
  type DataOf,
  type DType,
  GraphError,
  located,
  type Shape,
  type Tensor,
  type TensorType,
  Value,
} from './types.ts';
