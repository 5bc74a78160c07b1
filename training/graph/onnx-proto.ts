/**
 * The messages of ONNX files. `onnx-proto` asks for a major version of protobufjs that is no longer maintained, and whoever
 * installs this package would get it: so the build puts the messages in place of this module (`vendor-onnx-proto.ts`), and
 * `onnx-proto` itself is only needed to develop.
 */
import onnxProto, { type onnx } from 'onnx-proto';

export { onnxProto, type onnx };
