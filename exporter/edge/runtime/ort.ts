/**
 * Calls the C API of ONNX Runtime, and turns its error codes into exceptions.
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/wasm/api.h
 */

import type { Pointer } from './glue.ts';
import type { Heap } from './heap.ts';
import type { RunModule } from './link.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

/** ONNX Runtime's `ORT_LOGGING_LEVEL_FATAL`: errors come back as exceptions and need not be printed as well. */
export const loggingLevelFatal = 4;

/** The running runtime, its memory, and the address of the run options in it. */
export interface OrtInstance {
  readonly ort: RunModule;
  readonly heap: Heap;
  readonly runOptions: Pointer;
  /**
   * Puts memory and globals back to their state at the start; absent if that state was not kept. If given the name of a
   * session whose run has trapped, all later runs use the whole code.
   */
  readonly restore?: (trapped?: string) => void;
  /** Is true if a session's weights are not loaded yet; absent if all weights are there from the start. */
  readonly lacksWeights?: (session: string) => boolean;
}

/** An input or output with the address of its name. */
export interface NamedValue extends ValueInfo {
  readonly namePointer: Pointer;
}

/** A tensor for an input, checked. */
export interface Feed {
  readonly value: NamedValue;
  readonly tensor: Tensor;
}

/** A tensor that stays in linear memory, with the addresses of the tensor itself and of its data. */
export interface BoundTensor {
  readonly name: string;
  readonly namePointer: Pointer;
  readonly tensor: Pointer;
  readonly data: Pointer;
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
}

/** Holds a tensor for each input and output of a session, with every free dimension 1. */
export interface Binding {
  readonly inputs: readonly BoundTensor[];
  readonly outputs: readonly BoundTensor[];
  /** `lists` is the address of the four lists that `OrtRun` takes. */
  readonly lists: Pointer;
}

/** A created session: its handle, inputs and outputs. It is plain data, stored beside the image. */
export interface SessionRecord {
  readonly handle: Pointer;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly binding?: Binding;
}

/** A running instance with a session for each model, by name. All of them live in the same heap. */
export interface Started {
  readonly instance: OrtInstance;
  readonly sessions: Readonly<Record<string, SessionRecord>>;
}

/** Thrown if ONNX Runtime or the allocator refuses a run with a message. The session stays usable. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly outOfMemory: boolean;

  constructor(message: string) {
    super(message);
    this.outOfMemory = isOutOfMemory(message);
  }
}

/** Thrown if a run has reached code that is not in the image, and again when it was repeated from the start. */
export class TrapError extends Error {
  override readonly name = 'TrapError';
}

/** Is true if an error's message says that linear memory could not grow far enough. */
export function isOutOfMemory(message: string): boolean {
  return /bad_alloc|out of memory|failed to allocate/i.test(message);
}

/** @throws InferenceError with ONNX Runtime's message unless `status` is 0 */
export function check(instance: Pick<OrtInstance, 'ort' | 'heap'>, status: number): void {
  if (status !== 0) throw lastError(instance);
}

/** @throws InferenceError with ONNX Runtime's message if `pointer` is null */
export function checkPointer(instance: Pick<OrtInstance, 'ort' | 'heap'>, pointer: Pointer): Pointer {
  if (pointer === 0) throw lastError(instance);
  return pointer;
}

/** @throws InferenceError if linear memory cannot grow far enough */
export function allocate(ort: Pick<RunModule, '_malloc'>, bytes: number, purpose: string): Pointer {
  const pointer = ort._malloc(bytes);
  if (pointer === 0) throw new InferenceError(`out of memory: expected ${bytes} bytes for ${purpose}`);
  return pointer;
}

/**
 * Removes the place in ONNX Runtime's source from a message: `a/b.cc:12 void ns::f(int) x == y was false. Why` ->
 * `Why`. The rest says the same to a client, and nothing of how the server was built.
 */
export function withoutSource(message: string): string {
  const place = /\S*\b[\w-]+\.(?:cc|cpp|h|hpp):\d+ (?:[^()]*::[^()]*\([^()]*\)(?: const)?(?: \[[^\]]*\])? )?/g;
  return place.test(message)
    ? message.replace(place, '').replace(/^(.*Status Message: )?.*? was false\. ?/, '$1')
    : message;
}

function lastError({ ort, heap }: Pick<OrtInstance, 'ort' | 'heap'>): InferenceError {
  const stack = ort.stackSave();
  const code = ort.stackAlloc(8);
  ort._OrtGetLastError(code, code + 4);
  const message = heap.word(code + 4);
  // An image may lack the text of an error that no case of its build has met.
  const words = message === 0 ? '' : withoutSource(ort.UTF8ToString(message)).trim();
  const error = new InferenceError(words || `ONNX Runtime error ${heap.word(code)}`);
  ort.stackRestore(stack);
  return error;
}
