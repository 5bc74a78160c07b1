/**
 * Runs a session cut into stages: the runtime computes products, and compiled programs compute what lies between them.
 * All read and write one memory in place.
 *
 *     the caller's arrays ─▶ products ─▶ │ z │ ─▶ rows ─▶ │ a │ ─▶ products ─▶ … ─▶ the caller's arrays
 */
import { CompileError, compileRows, type Lifetime, packed, rowGraphOf, type RowsProgram } from '../../compile/index.ts';
import { elementCount } from '../../arrays/index.ts';
import { releasingOnError, unexpected, UserError } from '../../files/index.ts';
import { type Graph, sizeOf, type Tensor, type Value } from '../../graph/index.ts';
import { arrays } from '../../program/index.ts';
import type { BoundSession, NamedTensors } from '../backend.ts';
import type { Bound } from '../runtime.ts';
import { maxPages, pageBytes, type RowModule, RowThreads } from './row-threads.ts';
import { type Stage, type Stages, stagesOf } from './stages.ts';

/** Opens a session of the runtime that is bound to these arrays. */
export type OpenBound = (graph: Graph, bound: Bound) => Promise<BoundSession>;

/** The stages of a graph, their compiled rows, and the addresses of all values. */
export interface StagedProgram {
  readonly stages: readonly Stage[];
  readonly rows: RowsProgram;
  /** Is true when threads share the memory; otherwise one thread computes all rows. */
  readonly isShared: boolean;
  /** Maps values in the memory to their addresses. All others that stages read or write lie in the caller's arrays. */
  readonly addresses: ReadonlyMap<string, number>;
  /** Maps the names of all values that stages read or write to the values. */
  readonly values: ReadonlyMap<string, Value>;
  /**
   * The names of values that are copied from the caller's arrays before the first stage, and to them after the last.
   */
  readonly copiesIn: readonly string[];
  readonly copiesOut: readonly { readonly from: string; readonly to: string }[];
}

/** The address of the first value. */
const start = 1024;
/** The number of bytes, at most, by which a vector may be read past the end of its tensor. */
const readPastEnd = 16;

/** The maximum size of the memory: addresses have 32 bits. */
const maxBytes = maxPages * pageBytes;

/** The number of elements from which passes over a tensor take longer than the calls of the runtime that a cut adds. */
export const minCutElements = 2 ** 16;

export interface StagedOptions {
  /** The number of elements from which a tensor is worth cutting the graph for. */
  readonly large?: number;
  /** Is true when the runtime accepts arrays in memory that threads share, which is assumed when omitted. */
  readonly isShared?: boolean;
}

/**
 * @returns undefined where there is nothing to cut, where what lies between products cannot be compiled for this
 * engine, or where the memory would be too large
 */
export function stagedProgram(
  graph: Graph,
  { large = minCutElements, isShared = true }: StagedOptions = {},
): StagedProgram | undefined {
  try {
    const stages = stagesOf(graph, large);
    const program = stages && programOf(graph, stages, isShared);
    if (!program || program.rows.end + program.rows.ownBytes > maxBytes) return undefined;
    return WebAssembly.validate(program.rows.wasm) ? program : undefined;
  } catch (error) {
    if (error instanceof CompileError) return undefined;
    throw error;
  }
}

/**
 * Compiles the rows and gives addresses to values. The memory holds what rows read and write, and what one session
 * leaves for another.
 */
function programOf(graph: Graph, { stages, rootOf }: Stages, isShared: boolean): StagedProgram {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const results = new Map(graph.outputs.map((value) => [rootOf(value).name, value] as const));
  const graphs = stages.map((stage) => (stage.kind === 'rows' ? rowGraphOf(stage.source) : undefined));
  const values = new Map<string, Value>();
  const lifetimes = new Map<string, Lifetime<string>>();
  const byRows = new Set<string>();
  const need = (value: Value, stage: number): void => {
    values.set(value.name, value);
    const { from, to } = lifetimes.get(value.name) ?? { from: stage, to: stage };
    const bytes = arrays[value.dtype].BYTES_PER_ELEMENT * sizeOf(value.shape) + readPastEnd;
    lifetimes.set(value.name, { key: value.name, bytes, from: Math.min(from, stage), to: Math.max(to, stage) });
  };
  stages.forEach((stage, at) => {
    if (stage.kind === 'session') {
      for (const value of [...stage.graph.inputs, ...stage.graph.outputs]) need(value, at);
      return;
    }
    for (const value of touchedBy(stage, rootOf)) {
      byRows.add(value.name);
      need(value, inputs.has(value.name) ? -1 : at);
      need(value, results.has(value.name) ? stages.length : at);
    }
  });
  const isResult = (name: string): boolean => graph.outputs.some((value) => value.name === name);
  const isOurs = ({ key }: Lifetime<string>): boolean => byRows.has(key) || (!inputs.has(key) && !isResult(key));
  const { addresses, end } = packed([...lifetimes.values()].filter(isOurs), start);
  const addressOf = (name: string): number => {
    const address = addresses.get(name);
    if (address === undefined) throw new Error(`internal: ${name} has no address`);
    return address;
  };
  const rows = compileRows(
    graphs.filter((each) => each !== undefined),
    { addressOf, free: end },
    isShared ? maxPages : undefined,
  );
  const copiesOut = graph.outputs.flatMap((value) => {
    const root = rootOf(value).name;
    if (byRows.has(value.name)) return [{ from: value.name, to: value.name }];
    return byRows.has(root) && !madeBySession(stages, value) ? [{ from: root, to: value.name }] : [];
  });
  const copiesIn = [...byRows].filter((name) => inputs.has(name));
  return { stages, rows, isShared, addresses, values, copiesIn, copiesOut };
}

const madeBySession = (stages: readonly Stage[], { name }: Value): boolean =>
  stages.some((stage) => stage.kind === 'session' && stage.graph.outputs.some((output) => output.name === name));

/** Returns the values that a program reads from memory or writes there. */
function touchedBy(stage: Extract<Stage, { kind: 'rows' }>, rootOf: (value: Value) => Value): readonly Value[] {
  const { nodes, outputs, placements } = stage.source;
  const made = new Set(nodes.flatMap((node) => node.outputs.map(({ name }: Value) => name)));
  const read = nodes.flatMap((node) =>
    node.inputs.flatMap((value: Value | undefined) => (value && !value.constant ? [rootOf(value)] : [])),
  );
  return [
    ...read.filter(({ name, constant }) => !made.has(name) && !constant),
    ...outputs,
    ...placements.map(({ whole }) => whole),
  ];
}

/**
 * Opens a session that runs the stages one after the other.
 *
 * @param threads the number of threads that compute rows, where they share the memory
 * @param onThreadEnd is told how one of them has ended
 */
export async function openStaged(
  program: StagedProgram,
  { inputs, outputs }: Bound,
  threads: number,
  open: OpenBound,
  onThreadEnd?: (how: string) => void,
): Promise<BoundSession> {
  const { stages, addresses, values } = program;
  const functions = stages
    .flatMap((stage) => (stage.kind === 'rows' ? [stage.source.rows] : []))
    .map((count, i) => ({ name: `rows${i}`, rows: count, repeatable: true }));
  const rows = openThreads({ ...program.rows, functions }, program.isShared ? threads : undefined, onThreadEnd);
  const tensors = new Map(
    [...addresses].map(([name, address]) => [name, tensorAt(values.get(name), rows.memory, address)]),
  );
  const tensorOf = (name: string): Tensor => tensors.get(name) ?? given({ ...inputs, ...outputs }, name);
  const bind = (list: readonly Value[]): NamedTensors =>
    Object.fromEntries(list.map(({ name }) => [name, tensorOf(name)]));
  const steps: (() => Promise<void>)[] = [];
  const sessions: BoundSession[] = [];
  let count = 0;
  for (const stage of stages) {
    if (stage.kind === 'rows') {
      const index = count++;
      steps.push(() => rows.run(index));
      continue;
    }
    const { graph } = stage;
    const bound = { inputs: bind(graph.inputs), outputs: bind(graph.outputs) };
    const session = await releasingOnError([rows, ...sessions], () => open(graph, bound));
    sessions.push(session);
    steps.push(() => session.run());
  }
  const copy = (from: Tensor, to: Tensor): void => {
    (to.data as Float32Array).set(from.data as Float32Array);
  };
  return {
    run: async () => {
      for (const name of program.copiesIn) copy(given(inputs, name), tensorOf(name));
      for (const step of steps) await step();
      for (const { from, to } of program.copiesOut) copy(tensorOf(from), given(outputs, to));
    },
    release: async () => {
      await Promise.all([rows.release(), ...sessions.map((session) => session.release())]);
    },
  };
}

function openThreads(
  module: RowModule,
  shared: number | undefined,
  onThreadEnd: ((how: string) => void) | undefined,
): RowThreads {
  try {
    return new RowThreads(module, shared, onThreadEnd);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const size = Math.ceil((module.end + (shared ?? 1) * module.ownBytes) / 1e6);
    throw unexpected('training', `${size} MB of memory for a step (a smaller --batch-size takes less)`, 'less');
  }
}

function given(tensors: NamedTensors, name: string): Tensor {
  const tensor = tensors[name];
  if (!tensor) throw new UserError(`session: expected ${name}, got none`);
  return tensor;
}

function tensorAt(value: Value | undefined, { buffer }: WebAssembly.Memory, address: number): Tensor {
  if (!value) throw new Error('internal: a place without a value');
  const shape = value.shape.map(Number);
  return { dtype: value.dtype, shape, data: new arrays[value.dtype](buffer, address, elementCount(shape)) };
}
