/**
 * Calls of the C API that the typed wrapper would never let through: every data type code, wrong ranks, sizes and
 * names. The image must refuse them in ONNX Runtime's words and not trap, for the wrapper's checks are not its only
 * guard.
 */

import { elementCount } from '../../../training/arrays/index.ts';
import { recordOf } from './cases.ts';
import type { Case, Outcome, Subject } from './cases.ts';
import type { Pointer, SessionRecord } from '../runtime/index.ts';
import { stackList } from '../runtime/ort-tensor.ts';

/** TensorProto.DataType up to FLOAT4E2M1 and beyond, and one code that will never exist. */
const dtypeCodes = [...Array.from({ length: 28 }, (_, code) => code), 99];

const shapes: readonly (readonly number[])[] = [
  [],
  [1],
  [1, 2],
  [1, 1, 1, 1],
  [1, 1, 1, 1, 1],
  [0, 1, 28, 28],
  [-1, 2],
  [65_536, 65_536, 65_536],
  [2 ** 31 - 1, 2 ** 31 - 1],
];

interface RawTensor {
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** Replaces a session's own names and tensors. */
interface RawRun {
  readonly tensor?: RawTensor;
  readonly inputName?: string;
  readonly outputName?: string;
  readonly inputCount?: number;
}

/** The bytes that suffice for any tensor above that ONNX Runtime agrees to make. */
const dataBytes = 65_536;

export function rawErrorCases(model: string): readonly Case[] {
  const tensors = dtypeCodes.flatMap((dtype) => shapes.map((shape) => ({ tensor: { dtype, shape } })));
  const names = [{ inputName: 'no such input' }, { outputName: 'no such output' }, { inputCount: 0 }];
  return [...tensors, ...names].map((run) => ({
    model,
    label: `OrtRun with ${JSON.stringify(run)}`,
    perform: (subject) => rawOutcome(subject, model, run),
  }));
}

function rawOutcome(subject: Subject, model: string, run: RawRun): Outcome {
  const { runtime, instance } = subject;
  const { ort } = instance;
  const stack = ort.stackSave();
  const block = ort._malloc(dataBytes);
  instance.heap.bytes.fill(0, block, block + dataBytes);
  try {
    return rawRun(subject, recordOf(subject, model), run, block);
  } catch (error) {
    if (error instanceof runtime.InferenceError) return error.message;
    throw error;
  } finally {
    ort._free(block);
    ort.stackRestore(stack);
  }
}

/** Passes the same tensor for every input. Outputs are dropped: only a refusal is of interest. */
function rawRun({ runtime, instance }: Subject, record: SessionRecord, run: RawRun, data: Pointer): Outcome {
  const { ort, heap } = instance;
  const list = (values: readonly number[]): Pointer => stackList(instance, values);
  const { dtype, shape } = run.tensor ?? { dtype: 1, shape: [1] };
  const bytes = Math.min(dataBytes, 16 * Math.abs(elementCount(shape)));
  const tensor = ort._OrtCreateTensor(dtype, data, bytes, list(shape), shape.length, 1);
  runtime.checkPointer(instance, tensor);
  const inputs = record.inputs.map(({ namePointer }) => (run.inputName ? cString(list, run.inputName) : namePointer));
  const outputs = record.outputs.map(({ namePointer }) =>
    run.outputName ? cString(list, run.outputName) : namePointer,
  );
  const results = list(outputs.map(() => 0));
  const status = ort._OrtRun(
    record.handle,
    list(inputs),
    list(inputs.map(() => tensor)),
    run.inputCount ?? inputs.length,
    list(outputs),
    outputs.length,
    results,
    instance.runOptions,
  );
  ort._OrtReleaseTensor(tensor);
  runtime.check(instance, status);
  for (let i = 0; i < outputs.length; i++) ort._OrtReleaseTensor(heap.word(results + 4 * i));
  return 'accepted';
}

function cString(list: (words: readonly number[]) => Pointer, text: string): Pointer {
  const bytes = new Uint8Array(4 * Math.ceil((text.length + 1) / 4));
  bytes.set(new TextEncoder().encode(text));
  return list([...new Uint32Array(bytes.buffer)]);
}
