/**
 * Calls into the C API of ONNX Runtime with its error convention turned into exceptions.
 * Source: https://github.com/microsoft/onnxruntime/blob/v1.30.0/onnxruntime/wasm/api.h
 */

import type { Pointer } from './glue.ts';
import type { Heap } from './heap.ts';
import type { RunModule } from './link.ts';
import type { Tensor, ValueInfo } from './tensor.ts';

/** ONNX Runtime's `ORT_LOGGING_LEVEL_FATAL`: errors come back as exceptions and need not be printed as well. */
export const loggingLevelFatal = 4;

/** The glue, its memory, and the addresses of what was created in it. */
export interface OrtInstance {
  readonly ort: RunModule;
  readonly heap: Heap;
  readonly runOptions: Pointer;
  /**
   * Puts memory and globals back to the state they were in at the start; absent where there is no such state. Where a session's run
   * has trapped, what follows is done by all of the code that there is.
   */
  readonly restore?: (trapped?: string) => void;
  /** Whether a session's weights are yet to come; absent where all are there from the start. */
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

/** A tensor that stays in linear memory: the addresses of its value and of its data. */
export interface BoundTensor {
  readonly name: string;
  readonly namePointer: Pointer;
  readonly tensor: Pointer;
  readonly data: Pointer;
  readonly dtype: Tensor['dtype'];
  readonly shape: readonly number[];
}

/** A tensor for each input and output of a session, every free dimension 1. */
export interface Binding {
  readonly inputs: readonly BoundTensor[];
  readonly outputs: readonly BoundTensor[];
  /** Room for the four lists that `OrtRun` takes. */
  readonly lists: Pointer;
}

/** A created session: its handle and what it takes and gives. Plain data, stored beside the image. */
export interface SessionRecord {
  readonly handle: Pointer;
  readonly inputs: readonly NamedValue[];
  readonly outputs: readonly NamedValue[];
  readonly binding?: Binding;
}

/** A running instance with a session for each model, by name. All of them live in the one heap. */
export interface Started {
  readonly instance: OrtInstance;
  readonly sessions: Readonly<Record<string, SessionRecord>>;
}

/** ONNX Runtime, or the allocator, refused a run with a message. The session stays usable. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly outOfMemory: boolean;

  constructor(message: string) {
    super(message);
    this.outOfMemory = isOutOfMemory(message);
  }
}

/** A run has reached what is not in the image, and once more when it was begun anew. */
export class TrapError extends Error {
  override readonly name = 'TrapError';
}

/** Whether an error's message says that linear memory could not grow far enough. */
export function isOutOfMemory(message: string): boolean {
  return /bad_alloc|out of memory|failed to allocate/i.test(message);
}

/** @throws InferenceError with ONNX Runtime's message unless `status` is 0. */
export function check(instance: Pick<OrtInstance, 'ort' | 'heap'>, status: number): void {
  if (status !== 0) throw lastError(instance);
}

/** @throws InferenceError with ONNX Runtime's message if `pointer` is null. */
export function checkPointer(instance: Pick<OrtInstance, 'ort' | 'heap'>, pointer: Pointer): Pointer {
  if (pointer === 0) throw lastError(instance);
  return pointer;
}

/** @throws InferenceError if linear memory cannot grow far enough. */
export function allocate(ort: Pick<RunModule, '_malloc'>, bytes: number, purpose: string): Pointer {
  const pointer = ort._malloc(bytes);
  if (pointer === 0) throw new InferenceError(`out of memory: expected ${bytes} bytes for ${purpose}`);
  return pointer;
}

/**
 * A message without the place in ONNX Runtime's source: `a/b.cc:12 void ns::f(int) x == y was false. Why` -> `Why`. What is
 * left tells a client the same, and nothing of how the server was built.
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
  // An image may lack the words of an error that no case of its build has met.
  const words = message === 0 ? '' : withoutSource(ort.UTF8ToString(message)).trim();
  const error = new InferenceError(words || `ONNX Runtime error ${heap.word(code)}`);
  ort.stackRestore(stack);
  return error;
}
