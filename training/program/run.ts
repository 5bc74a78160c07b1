/** Runs a program (see ../compile): writes a sample into its memory, calls it, and reads the answer. */
import { arrays } from './arrays.ts';

type Numbers = InstanceType<(typeof arrays)[keyof typeof arrays]>;
type Cells = Float32Array | Int32Array;

interface RunnablePort {
  readonly name: string;
  readonly dtype: keyof typeof arrays;
  readonly shape: readonly (number | string)[];
  readonly count: number;
  readonly offset: number;
  readonly perSample: boolean;
}

export interface Runnable {
  readonly inputs: readonly RunnablePort[];
  readonly outputs: readonly RunnablePort[];
}

/** Answers `batch` samples. Arrays are row-major, so the elements of a sample lie together. */
export type Run = (
  feeds: Readonly<Record<string, ArrayLike<number | bigint>>>,
  batch: number,
) => Record<string, Numbers>;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly run: () => void;
}

export function start(module: WebAssembly.Module, { inputs, outputs }: Runnable): Run {
  const { memory, run } = new WebAssembly.Instance(module).exports as unknown as Exports;
  const placed = (ports: Runnable['inputs']) =>
    ports.map((port) => {
      const Lanes = port.dtype === 'float32' ? Float32Array : Int32Array;
      return { ...port, cells: new Lanes(memory.buffer, port.offset, port.count) };
    });
  const [entries, results] = [placed(inputs), placed(outputs)];
  // A first run on zeros, so that the first request finds compiled code. Where zeros make an index exceed its axis, the
  // run traps, which leaves nothing behind.
  try {
    run();
  } catch {}
  // Outputs that are the same for all samples are also answered for a batch of none, so they need one run.
  const minRuns = outputs.every((port) => port.perSample) ? 0 : 1;
  return (feeds, batch) => {
    const given = entries.map((port) => ({ ...port, feed: feedOf(feeds, port, batch) }));
    const answers = results.map((port) => ({
      ...port,
      answer: new arrays[port.dtype](port.count * (port.perSample ? batch : 1)),
    }));
    for (let sample = 0; sample < (batch || minRuns); sample++) {
      for (const { feed, dtype, count, perSample, cells } of given) {
        if (perSample && sample >= batch) cells.fill(0);
        else write(cells, feed, perSample ? sample * count : 0, dtype);
      }
      run();
      for (const { answer, count, perSample, cells } of answers) {
        if (!perSample || sample < batch) read(answer, perSample ? sample * count : 0, cells);
      }
    }
    return Object.fromEntries(answers.map(({ name, answer }) => [name, answer]));
  };
}

/** Sessions have checked their feeds: numbers that are not there would be NaN, or those of the sample before. */
function feedOf(feeds: Parameters<Run>[0], port: RunnablePort, batch: number): ArrayLike<number | bigint> {
  const feed = feeds[port.name];
  const count = port.count * (port.perSample ? batch : 1);
  if (feed?.length === count) return feed;
  throw new Error(`internal: ${port.name}: expected ${count} numbers, got ${feed?.length ?? 'none'}`);
}

function write(cells: Cells, from: ArrayLike<number | bigint>, at: number, dtype: string): void {
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

function read(answer: Numbers, at: number, cells: Cells): void {
  if (answer instanceof Float32Array) answer.set(cells, at);
  else if (answer instanceof BigInt64Array) cells.forEach((cell, i) => (answer[at + i] = BigInt(cell)));
  else cells.forEach((cell, i) => (answer[at + i] = answer instanceof Uint8Array ? Math.abs(cell) : cell));
}
