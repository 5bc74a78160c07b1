/** Runs a program (see ../compile): writes a sample into its memory, calls it, reads the answer. */

type Numbers = Float32Array | Int32Array | Uint32Array | Uint8Array | BigInt64Array;

interface RunnablePort {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
  readonly count: number;
  readonly offset: number;
  readonly perSample: boolean;
}

export interface Runnable {
  readonly inputs: readonly RunnablePort[];
  readonly outputs: readonly RunnablePort[];
}

/** Answers `batch` samples; arrays are row-major, with a sample's elements together. */
export type Run = (
  feeds: Readonly<Record<string, ArrayLike<number | bigint>>>,
  batch: number,
) => Record<string, Numbers>;

/** How an element type is held in an array; a boolean is 0 or −1 in memory, and 0 or 1 outside. */
const arrays: Readonly<Record<string, (length: number) => Numbers>> = {
  float32: (length) => new Float32Array(length),
  int32: (length) => new Int32Array(length),
  uint32: (length) => new Uint32Array(length),
  uint8: (length) => new Uint8Array(length),
  bool: (length) => new Uint8Array(length),
  int64: (length) => new BigInt64Array(length),
};

export function start(module: WebAssembly.Module, { inputs, outputs }: Runnable): Run {
  const { exports } = new WebAssembly.Instance(module);
  const { memory, run } = exports as unknown as { readonly memory: WebAssembly.Memory; readonly run: () => void };
  const view = ({ dtype, offset, count }: RunnablePort): Float32Array | Int32Array =>
    new (dtype === 'float32' ? Float32Array : Int32Array)(memory.buffer, offset, count);
  const entries = inputs.map((port) => ({ ...port, cells: view(port) }));
  const results = outputs.map((port) => ({ ...port, cells: view(port) }));
  return (feeds, batch) => {
    const answers = Object.fromEntries(
      results.map(({ name, dtype, count, perSample }) => [
        name,
        arrays[dtype]?.(perSample ? batch * count : count) ?? new Float32Array(),
      ]),
    );
    // What is the same for all samples is answered to none of them as well.
    const runs = Math.max(batch, results.some(({ perSample }) => !perSample) ? 1 : 0);
    for (let sample = 0; sample < runs; sample++) {
      for (const { name, dtype, count, perSample, cells } of entries) {
        if (perSample && sample >= batch) cells.fill(0);
        else write(cells, feeds[name] ?? [], perSample ? sample * count : 0, dtype);
      }
      run();
      for (const { name, count, perSample, cells } of results) {
        const answer = answers[name];
        if (answer && (!perSample || sample < batch)) read(answer, perSample ? sample * count : 0, cells);
      }
    }
    return answers;
  };
}

function write(cells: Float32Array | Int32Array, from: ArrayLike<number | bigint>, at: number, dtype: string): void {
  if (cells instanceof Float32Array && from instanceof Float32Array) {
    cells.set(from.subarray(at, at + cells.length));
    return;
  }
  for (let i = 0; i < cells.length; i++) {
    const number = Number(from[at + i]);
    cells[i] = dtype === 'bool' ? -Number(number !== 0) : number;
    if (dtype === 'int64' && cells[i] !== number) throw new RangeError(`expected an integer of 32 bits, got ${number}`);
  }
}

function read(answer: Numbers, at: number, cells: Float32Array | Int32Array): void {
  if (answer instanceof Float32Array) answer.set(cells, at);
  else if (answer instanceof BigInt64Array) cells.forEach((cell, i) => (answer[at + i] = BigInt(cell)));
  else cells.forEach((cell, i) => (answer[at + i] = answer instanceof Uint8Array ? Math.abs(cell) : cell));
}
