/** The nodes of one row: what a program computes of each, in the order of its passes. */
import { type Node, Value } from '../../graph/index.ts';
import { isElementwise } from '../expression/of-node.ts';
import { sizeOf } from '../lower/lowering.ts';
import { type Pass, schedule } from '../passes/schedule.ts';
import { readingOf, rowFormOf, rowNodeOf } from './form.ts';

/** Runs of one tensor that are read, or written, in another order. */
export interface Runs {
  /** The tensor in memory. */
  readonly of: string;
  /** For each run its place, in runs. */
  readonly order: readonly number[];
  /** Elements of a run. */
  readonly run: number;
  /** Runs of a row of the tensor. */
  readonly count: number;
}

/** Part of a tensor that is put together of several. */
export interface Placement {
  readonly part: string;
  readonly whole: Value;
  readonly into: Runs;
}

export interface RowSource {
  readonly rows: number;
  readonly nodes: readonly Node[];
  readonly placements: readonly Placement[];
  /** Values that are read when the program has ended. */
  readonly outputs: readonly Value[];
  /** The value that lies in memory, of which this one is another shape. */
  readonly rootOf: (value: Value) => Value;
}

/** Where a value is found, by its name: a number of each row or of all, or rows, which may be read in another order. */
export type RowValue =
  | { readonly kind: 'one' | 'number' }
  | { readonly kind: 'row'; readonly length: number; readonly runs?: Runs };

export interface RowGraph {
  readonly rows: number;
  readonly passes: readonly Pass[];
  readonly values: ReadonlyMap<string, RowValue>;
  readonly constants: ReadonlyMap<string, Value>;
  readonly placements: readonly Placement[];
  /** By name. */
  readonly outputs: ReadonlySet<string>;
}

export function rowGraphOf({ rows, nodes, placements, outputs, rootOf }: RowSource): RowGraph {
  const values = new Map<string, RowValue>();
  const constants = new Map<string, Value>();
  /** As it is to one row. */
  const ofRow = (value: Value, found: RowValue): Value => {
    const { name, dtype, constant } = rootOf(value);
    if (constant && sizeOf(value) === 1) return new Value(name, { dtype, shape: [] }, { ...constant, shape: [] });
    if (constant) constants.set(name, rootOf(value));
    if (!values.has(name)) values.set(name, found);
    return new Value(name, { dtype, shape: found.kind === 'row' ? [found.length] : [] });
  };
  const readIn = (value: Value, whole: Value): Value => {
    const reading = readingOf(value, whole) ?? 'number';
    const form = reading === 'row' ? rowFormOf(whole) : undefined;
    return ofRow(value, form ? { kind: 'row', length: form.length } : { kind: reading === 'one' ? 'one' : 'number' });
  };
  const steps = nodes.flatMap((node): readonly Node[] => {
    const [output] = node.outputs;
    const step = rowNodeOf(node);
    if (!step) throw new Error(`internal: ${node.name} is no step of rows`);
    if (node.op === 'Gather') {
      const [, , run = NaN] = output.shape.map(Number);
      const [data, indices] = node.inputs;
      const order = Array.from(indices.constant?.data ?? [], Number);
      const runs: Runs = { of: rootOf(data).name, order, run, count: Number(data.shape[1]) };
      values.set(output.name, { kind: 'row', length: order.length * run, runs });
      return [];
    }
    if (isElementwise(node)) {
      const inputs = node.inputs.map((value: Value) =>
        step.kind === 'numbers'
          ? ofRow(value, { kind: sizeOf(value) === 1 ? 'one' : 'number' })
          : readIn(value, output),
      );
      const result = step.kind === 'numbers' ? ofRow(output, { kind: 'number' }) : readIn(output, output);
      return [{ ...node, inputs, outputs: [result] } as unknown as Node];
    }
    const [data] = node.inputs as readonly [Value];
    const axes = { dtype: 'int64', shape: [1], data: BigInt64Array.of(0n) } as const;
    const inputs = [readIn(data, data), new Value('axis of a row', axes, axes)];
    return [{ ...node, inputs, outputs: [ofRow(output, { kind: 'number' })] } as unknown as Node];
  });
  const wanted = new Set([...outputs.map((value) => rootOf(value).name), ...placements.map(({ part }) => part)]);
  const results = [...wanted].map((name) => new Value(name, { dtype: 'float32', shape: [] }));
  return {
    rows,
    passes: schedule(steps, results),
    values,
    constants,
    placements,
    outputs: new Set(outputs.map((value) => rootOf(value).name)),
  };
}
