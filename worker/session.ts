/**
 * An inference session: bytes of an ONNX model in, then tensors in and tensors out.
 *
 * The calls and their order follow onnxruntime-web's own wrapper:
 * https://github.com/microsoft/onnxruntime/blob/v1.30.0/js/web/lib/wasm/wasm-core-impl.ts
 */
import { datatypeOf, datatypes, elementCount, type Datatype, type Tensor, type TensorInfo } from './datatypes.ts';
import { copyToHeap, pushWords, readWords, withStack, WORD_BYTES, wordsFrom } from './memory.ts';
import { LOG_FATAL, type Pointer, type Runtime } from './runtime.ts';

export interface Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * Computes the named outputs from one tensor per input. The returned data is a copy.
   * @throws OrtError where a kernel refuses its operands, or memory runs out.
   */
  run(feeds: ReadonlyMap<string, Tensor>, fetches: readonly string[]): Map<string, Tensor>;
}

/** ONNX Runtime's own refusal, in its words. */
export class OrtError extends Error {
  override readonly name = 'OrtError';
}

/** An input or output of the graph, and the address of its name as a C string. */
interface Port {
  readonly info: TensorInfo;
  readonly name: Pointer;
}

interface Feed {
  readonly name: Pointer;
  readonly tensor: Tensor;
}

const OPTIMIZE_ALL = 99;
const SEQUENTIAL = 0;
const ON_CPU = 1;

/** @throws OrtError where the model is malformed or uses an operator or datatype that the runtime lacks. */
export function createSession(runtime: Runtime, model: Uint8Array): Session {
  const handle = createHandle(runtime, model);
  const { inputs, outputs } = readPorts(runtime, handle);
  return {
    inputs: inputs.map(({ info }) => info),
    outputs: outputs.map(({ info }) => info),
    run: (feeds, fetches) => {
      const fed = inputs.map(({ name, info }) => ({ name, tensor: required(feeds.get(info.name), info.name) }));
      const fetched = fetches.map((fetch) => required(portNamed(outputs, fetch), fetch));
      const tensors = run(runtime, handle, fed, fetched);
      return new Map(tensors.map((tensor, i) => [fetches[i] ?? '', tensor]));
    },
  };
}

function createHandle(runtime: Runtime, model: Uint8Array): Pointer {
  const { ort } = runtime;
  const bytes = nonZero(runtime, copyToHeap(runtime, model));
  const options = ort._OrtCreateSessionOptions(OPTIMIZE_ALL, false, false, SEQUENTIAL, false, 0, 0, LOG_FATAL, 0, 0);
  const handle = ort._OrtCreateSession(bytes, model.byteLength, options);
  ort._OrtReleaseSessionOptions(options);
  ort._free(bytes);
  return nonZero(runtime, handle);
}

function readPorts(runtime: Runtime, session: Pointer): { inputs: Port[]; outputs: Port[] } {
  const [inputs = 0, outputs = 0] = wordsFrom(runtime, 2, (inputCount = 0, outputCount = 0) => {
    check(runtime, runtime.ort._OrtGetInputOutputCount(session, inputCount, outputCount));
  });
  const ports = Array.from({ length: inputs + outputs }, (_, index) => readPort(runtime, session, index));
  return { inputs: ports.slice(0, inputs), outputs: ports.slice(inputs) };
}

/**
 * The metadata block holds words: element type, rank, then per dimension the address of its symbolic name (0 where it
 * has none), then per dimension its size.
 */
function readPort(runtime: Runtime, session: Pointer, index: number): Port {
  const { ort } = runtime;
  const [name = 0, block = 0] = wordsFrom(runtime, 2, (nameSlot = 0, blockSlot = 0) => {
    check(runtime, ort._OrtGetInputOutputMetadata(session, index, nameSlot, blockSlot));
  });
  const [onnx = 0, rank = 0] = readWords(runtime, block, 2);
  const symbols = readWords(runtime, block + 2 * WORD_BYTES, rank);
  const sizes = readWords(runtime, block + (2 + rank) * WORD_BYTES, rank);
  ort._OrtFree(block);
  const text = ort.UTF8ToString(name);
  const shape = sizes.map((size, axis) => (symbols[axis] === 0 && size > 0 ? size : -1));
  return { name, info: { name: text, datatype: numeric(`tensor ${text}`, onnx), shape } };
}

function run(runtime: Runtime, session: Pointer, feeds: readonly Feed[], fetches: readonly Port[]): Tensor[] {
  const { ort } = runtime;
  const options = ort._OrtCreateRunOptions(LOG_FATAL, 0, false, 0);
  const blocks: Pointer[] = [];
  const tensors: Pointer[] = [];
  const push = (words: readonly number[]): Pointer => pushWords(runtime, words);
  try {
    for (const { tensor } of feeds) {
      const block = nonZero(runtime, copyToHeap(runtime, bytesOf(tensor)));
      blocks.push(block);
      tensors.push(createTensor(runtime, tensor, block));
    }
    const results = wordsFrom(runtime, fetches.length, (slots = 0) => {
      const [inputNames, inputs] = [push(feeds.map(nameOf)), push(tensors)];
      const [outputNames, count] = [push(fetches.map(nameOf)), fetches.length];
      check(runtime, ort._OrtRun(session, inputNames, inputs, feeds.length, outputNames, count, slots, options));
    });
    tensors.push(...results);
    return results.map((tensor) => readTensor(runtime, tensor));
  } finally {
    for (const tensor of tensors) ort._OrtReleaseTensor(tensor);
    for (const block of blocks) ort._free(block);
    ort._OrtReleaseRunOptions(options);
  }
}

/** The tensor borrows its data: `block` must outlive it. */
function createTensor(runtime: Runtime, { datatype, shape, data }: Tensor, block: Pointer): Pointer {
  return withStack(runtime, () => {
    const dims = pushWords(runtime, shape);
    const { onnx } = datatypes[datatype];
    return nonZero(runtime, runtime.ort._OrtCreateTensor(onnx, block, data.byteLength, dims, shape.length, ON_CPU));
  });
}

function readTensor(runtime: Runtime, tensor: Pointer): Tensor {
  const { ort, memory } = runtime;
  const slots = wordsFrom(runtime, 4, (type = 0, data = 0, dims = 0, rank = 0) => {
    check(runtime, ort._OrtGetTensorData(tensor, type, data, dims, rank));
  });
  const [onnx = 0, address = 0, dims = 0, rank = 0] = slots;
  const shape = readWords(runtime, dims, rank);
  ort._OrtFree(dims);
  const datatype = numeric('an output', onnx);
  const view = new datatypes[datatype].array(memory.buffer, address, elementCount(shape));
  return { datatype, shape, data: view.slice() };
}

function nameOf({ name }: { readonly name: Pointer }): Pointer {
  return name;
}

function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function numeric(where: string, onnx: number): Datatype {
  const datatype = datatypeOf(onnx);
  if (datatype === undefined) throw new OrtError(`${where}: expected numbers, got ONNX element type ${onnx}`);
  return datatype;
}

function portNamed(ports: readonly Port[], name: string): Port | undefined {
  return ports.find(({ info }) => info.name === name);
}

function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`internal: no tensor ${name}`);
  return value;
}

function check(runtime: Runtime, status: number): void {
  if (status !== 0) throw lastError(runtime);
}

function nonZero(runtime: Runtime, pointer: Pointer): Pointer {
  if (pointer === 0) throw lastError(runtime);
  return pointer;
}

function lastError(runtime: Runtime): OrtError {
  const [, message = 0] = wordsFrom(runtime, 2, (codeSlot = 0, messageSlot = 0) => {
    runtime.ort._OrtGetLastError(codeSlot, messageSlot);
  });
  return new OrtError(runtime.ort.UTF8ToString(message));
}
