/**
 * Compiled files of other exporters answer as native ONNX Runtime does. The files are random, with ops and attributes
 * that this project's graphs never have. `GRAPHS=2000` runs that many.
 */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { compile, CompileError } from '../../training/compile/index.ts';
import { decodeAnyModel, printGraph } from '../../training/graph/index.ts';
import { start } from '../../training/program/index.ts';
import { range, sizeOf } from '../reference/ndarray.ts';
import { seeded } from '../reference/random.ts';
import { foreignFile } from './foreign-graph.ts';

const graphs = Number(process.env['GRAPHS'] ?? 150);
const together = 25;

/** The tolerance relative to the largest number: errors add up over several ops. */
const within = 1e-4;

type Answers = Readonly<Record<string, ArrayLike<number | bigint>>>;

/** Signals that the compiler or ONNX Runtime refuses a file, so that there is nothing to compare. */
class Refused extends Error {
  readonly by: 'compiler' | 'ONNX Runtime';

  constructor(by: Refused['by'], why: unknown) {
    super(String(why));
    this.by = by;
  }
}

/** @throws Refused with ONNX Runtime's message, where it refuses the file or these feeds */
const ofRuntime = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw new Refused('ONNX Runtime', error);
  });

/**
 * @returns a description of the difference; undefined where the answers agree
 * @throws Refused
 */
async function verdictOn(seed: number): Promise<string | undefined> {
  const { bytes, shape } = foreignFile(seed);
  const { graph } = decodeAnyModel(bytes);
  const program = await compile(graph, { fma: seed % 2 === 1 }).catch((error: unknown) => {
    throw error instanceof CompileError ? new Refused('compiler', error) : error;
  });
  const run = start(new WebAssembly.Module(program.wasm.slice()), program);
  const options = { logSeverityLevel: 4, graphOptimizationLevel: 'disabled' } as const;
  const session = await ofRuntime(ort.InferenceSession.create(bytes, options));
  const sizes = shape[0] === 'N' ? [1, 2, 17] : [Number(shape[0])];
  const random = seeded(seed + 1);
  for (const batch of sizes) {
    const dims = [batch, ...shape.slice(1).map(Number)];
    const x = Float32Array.from(range(sizeOf(dims)), () => 4 * random() - 2);
    const expected = await ofRuntime(session.run({ x: new ort.Tensor('float32', x, dims) }));
    const got: Answers = run({ x }, batch);
    for (const [name, tensor] of Object.entries(expected)) {
      const difference = differenceOf(tensor, got[name] ?? []);
      if (difference !== undefined) return `batch ${batch}, ${name}: ${difference}\n${printGraph(graph)}`;
    }
  }
  await session.release();
  return undefined;
}

function differenceOf({ data, dims }: ort.Tensor, given: ArrayLike<number | bigint>): string | undefined {
  const wanted = Float64Array.from<number | bigint>(data as Float32Array, Number);
  const got = Float64Array.from<number | bigint>(given, Number);
  if (got.length !== wanted.length) return `expected [${dims.join(', ')}], got ${got.length} elements`;
  const largest = wanted.reduce((max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max), 1e-3);
  const at = wanted.findIndex((x, i) => !(Object.is(x, got[i]) || Math.abs(x - (got[i] ?? NaN)) <= within * largest));
  return at < 0 ? undefined : `expected ${wanted[at] ?? NaN} at ${at}, got ${got[at] ?? NaN}`;
}

describe('random files of other exporters', () => {
  it.each(range(Math.ceil(graphs / together)))('part %d', { timeout: 120_000 }, async (part) => {
    const wrong: string[] = [];
    let answered = 0;
    let strange = 0;
    for (const seed of range(together).map((i) => part * together + i)) {
      const verdict = await verdictOn(seed).catch((error: unknown) =>
        error instanceof Refused ? error : String(error),
      );
      if (verdict === undefined) answered++;
      else if (typeof verdict === 'string') wrong.push(`${seed}: ${verdict}`);
      else if (verdict.by === 'ONNX Runtime') {
        strange++;
        console.warn(`${seed}: refused by ONNX Runtime, and not counted: ${verdict.message}`);
      }
    }
    expect(wrong).toEqual([]);
    // Most of the files must compile and run, or the test would show nothing.
    expect(answered).toBeGreaterThan(together / 2);
    expect(strange).toBeLessThan(together / 10);
  });
});
