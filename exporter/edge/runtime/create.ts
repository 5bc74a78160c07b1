/**
 * Creates ONNX Runtime's environment and sessions from model files. The build does this once, before the snapshot; the
 * stock runtime does it in every isolate. Options are ONNX Runtime Web's defaults, except that it logs nothing.
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.30.0/js/web/lib/wasm/session-options.ts
 */

import type { OrtModule, Pointer } from './glue.ts';
import type { Heap } from './heap.ts';
import { allocate, check, checkPointer, loggingLevelFatal } from './ort.ts';
import type { NamedValue, OrtInstance, SessionRecord } from './ort.ts';
import { dtypeOf } from './tensor.ts';

type Ort = Pick<OrtInstance, 'heap'> & { readonly ort: OrtModule };

const graphOptimizationAll = 99;
const executionSequential = 0;

/** @returns the address of the run options that every run shares */
export function initialize(instance: Ort): Pointer {
  check(instance, instance.ort._OrtInit(1, loggingLevelFatal));
  return checkPointer(instance, instance.ort._OrtCreateRunOptions(loggingLevelFatal, 0, false, 0));
}

/** @throws InferenceError with ONNX Runtime's message if it refuses the model */
export function createSession(instance: Ort, model: Uint8Array): SessionRecord {
  const { ort, heap } = instance;
  const options = createOptions(instance);
  const file = allocate(ort, model.byteLength, 'the model');
  heap.bytes.set(model, file);
  const handle = ort._OrtCreateSession(file, model.byteLength, options);
  ort._free(file);
  checkPointer(instance, handle);
  check(instance, ort._OrtReleaseSessionOptions(options));
  return describe(instance, handle);
}

function createOptions(instance: Ort): Pointer {
  const [arena, pattern, profiling, none] = [false, false, false, 0];
  const options = instance.ort._OrtCreateSessionOptions(
    graphOptimizationAll,
    arena,
    pattern,
    executionSequential,
    profiling,
    none,
    none,
    loggingLevelFatal,
    0,
    none,
  );
  return checkPointer(instance, options);
}

function describe(instance: Ort, handle: Pointer): SessionRecord {
  const { ort, heap } = instance;
  const stack = ort.stackSave();
  const at = ort.stackAlloc(8);
  check(instance, ort._OrtGetInputOutputCount(handle, at, at + 4));
  const [inputs, outputs] = [heap.word(at), heap.word(at + 4)];
  const values = Array.from({ length: inputs + outputs }, (_, index) => describeValue(instance, handle, index, at));
  ort.stackRestore(stack);
  return { handle, inputs: values.slice(0, inputs), outputs: values.slice(inputs) };
}

/**
 * Describes an input or output.
 *
 * @param at address of two free words
 */
function describeValue(instance: Ort, handle: Pointer, index: number, at: Pointer): NamedValue {
  const { ort, heap } = instance;
  check(instance, ort._OrtGetInputOutputMetadata(handle, index, at, at + 4));
  const [namePointer, metadata] = [heap.word(at), heap.word(at + 4)];
  const name = ort.UTF8ToString(namePointer);
  const dtype = dtypeOf(heap.word(metadata));
  if (!dtype) throw new Error(`${name}: expected a tensor of numbers, got data type ${heap.word(metadata)}`);
  const shape = readShape(ort, heap, metadata + 4);
  ort._OrtFree(metadata);
  return { name, dtype, shape, namePointer };
}

/**
 * Reads a shape. At `address` are the rank, one pointer to a symbol (or null) per dimension, then one size (or -1) per
 * dimension.
 */
function readShape(ort: OrtModule, heap: Heap, address: Pointer): (number | string)[] {
  const rank = heap.word(address);
  return Array.from({ length: rank }, (_, axis) => {
    const symbol = heap.word(address + 4 + 4 * axis);
    return symbol === 0 ? heap.word(address + 4 + 4 * (rank + axis)) | 0 : ort.UTF8ToString(symbol);
  });
}
