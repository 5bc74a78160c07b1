/** Builds the graph of one row: the nodes that a program computes for each row, in the order of its passes. */
import { known, type Node, Value } from '../../graph/index.ts';
import { isElementwise } from '../expression/of-node.ts';
import { sizeOf } from '../lower/lowering.ts';
import { type Pass, schedule } from '../passes/schedule.ts';
import { readingOf, rowFormOf, rowNodeOf } from './form.ts';

/** Runs of one tensor that are read or written in another order. */
export interface Runs {
  /** The name of the tensor in memory. */
  readonly of: string;
  /** The position of each run, counted in runs. */
  readonly order: readonly number[];
  /** The number of elements in a run. */
  readonly run: number;
  /** The number of runs in a row of the tensor. */
  readonly count: number;
}

/** A part of a tensor that is assembled from several. */
export interface Placement {
  readonly part: string;
  readonly whole: Value;
  readonly into: Runs;
}

export interface RowSource {
  readonly rows: number;
  readonly nodes: readonly Node[];
  readonly placements: readonly Placement[];
  /** Values that are read after the program has ended. */
  readonly outputs: readonly Value[];
  /** Returns the value in memory that this one is a reshaped view of. */
  readonly rootOf: (value: Value) => Value;
}

/**
 * The kind of a value: as one number for all rows, one for each row, or as rows, which may be read in another order.
 */
export type RowValue =
  | { readonly kind: 'one' | 'number' }
  | { readonly kind: 'row'; readonly length: number; readonly runs?: Runs };

export interface RowGraph {
  readonly rows: number;
  readonly passes: readonly Pass[];
  readonly values: ReadonlyMap<string, RowValue>;
  readonly constants: ReadonlyMap<string, Value>;
  readonly placements: readonly Placement[];
  /** The names of the outputs. */
  readonly outputs: ReadonlySet<string>;
}

export function rowGraphOf({ rows, nodes, placements, outputs, rootOf }: RowSource): RowGraph {
  const row = new RowValues(rootOf);
  const steps = nodes.flatMap((node) => stepOf(node, row));
  const outside = new Set(outputs.map((value) => rootOf(value).name));
  const wanted = new Set([...outside, ...placements.map(({ part }) => part)]);
  const results = [...wanted].map((name) => new Value(name, { dtype: 'float32', shape: [] }));
  return {
    rows,
    passes: schedule(steps, results),
    values: row.values,
    constants: row.constants,
    placements,
    outputs: outside,
  };
}

/** The values that the nodes of a row read and write, as they come up. */
class RowValues {
  readonly values = new Map<string, RowValue>();
  readonly constants = new Map<string, Value>();
  readonly #rootOf: RowSource['rootOf'];

  constructor(rootOf: RowSource['rootOf']) {
    this.#rootOf = rootOf;
  }

  /** Returns a value as a single row sees it. */
  of(value: Value, found: RowValue): Value {
    const root = this.#rootOf(value);
    const { name, dtype, constant } = root;
    if (constant && sizeOf(value) === 1) return new Value(name, { dtype, shape: [] }, { ...constant, shape: [] });
    if (constant) this.constants.set(name, root);
    if (!this.values.has(name)) this.values.set(name, found);
    return new Value(name, { dtype, shape: found.kind === 'row' ? [found.length] : [] });
  }

  /** Returns a value as it is read where rows of `whole` are computed. */
  within(value: Value, whole: Value): Value {
    const reading = readingOf(value, whole) ?? 'number';
    const form = reading === 'row' ? rowFormOf(whole) : undefined;
    return this.of(value, form ? { kind: 'row', length: form.length } : { kind: reading === 'one' ? 'one' : 'number' });
  }

  /** Records runs that are gathered: they are read where they lie, and no node computes them. */
  gather(output: Value, data: Value, order: readonly number[]): void {
    const run = known('a run', output.shape[2]);
    const runs: Runs = { of: this.#rootOf(data).name, order, run, count: known('the runs', data.shape[1]) };
    this.values.set(output.name, { kind: 'row', length: order.length * run, runs });
  }
}

/** Returns the node that computes a node's output for a single row; none for a Gather. */
function stepOf(node: Node, row: RowValues): readonly Node[] {
  const [output] = node.outputs;
  const step = rowNodeOf(node);
  if (!step) throw new Error(`internal: ${node.name} cannot be computed row by row`);
  if (node.op === 'Gather') {
    const [data, indices] = node.inputs;
    row.gather(output, data, Array.from(indices.constant?.data ?? [], Number));
    return [];
  }
  if (isElementwise(node)) {
    const seen = (value: Value): Value =>
      step.kind === 'numbers'
        ? row.of(value, { kind: sizeOf(value) === 1 ? 'one' : 'number' })
        : row.within(value, output);
    return [{ ...node, inputs: node.inputs.map(seen), outputs: [seen(output)] } as unknown as Node];
  }
  const [data] = node.inputs as readonly [Value];
  const axes = { dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) } as const;
  const inputs = [row.within(data, data), new Value('axis of a row', axes, axes)];
  return [{ ...node, inputs, outputs: [row.of(output, { kind: 'number' })] } as unknown as Node];
}
