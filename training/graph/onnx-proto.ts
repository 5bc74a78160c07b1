/**
 * The messages of ONNX files. `onnx-proto` depends on a major version of protobufjs that is no longer maintained, and
 * would bring it to every installation of this package. So the build puts the messages in place of this module
 * (`build.ts`), and `onnx-proto` itself is a development dependency.
 */
import onnxProto, { type onnx } from 'onnx-proto';

export { onnxProto, type onnx };
